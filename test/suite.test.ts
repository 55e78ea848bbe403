/** The runner of the tests itself: what must not be taken for a pass. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'

const SUITE = join('dist', 'test/suite.js')

/** What its process ends with when the files run in it one after the other. */
function codeOf(...files: string[]): Promise<unknown> {
  const env = { ...process.env, ROADCASE_TOGETHER: files.join(' ') }
  return new Promise(resolve => {
    execFile(process.execPath, [SUITE, 'room'], { env }, error => resolve(error?.code ?? 0))
  })
}

t.test('a file that ends the process does not pass for those after it', async t => {
  t.equal(await codeOf('test/core/hex.test.ts'), 0)
  t.equal(await codeOf('test/fixtures/ends-early.ts', 'test/core/hex.test.ts'), 1)
})
