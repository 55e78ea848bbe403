/** The runner of the tests itself: what must not be taken for a pass. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
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

t.test('a suite that is interrupted leaves nothing behind', async t => {
  const TMPDIR = t.testdir()
  const { ROADCASE_TOGETHER: _, ...env } = process.env
  const suite = spawn(process.execPath, [SUITE, 'test/fixtures/never-ends.ts'], {
    env: { ...env, TMPDIR },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => suite.kill('SIGKILL'))
  while (!existsSync(join(TMPDIR, 'begun'))) await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(readdirSync(TMPDIR).length, 2)
  // As Ctrl-C does: to it and all that it started.
  process.kill(-(suite.pid ?? 0), 'SIGINT')
  const [code, signal] = await once(suite, 'exit')
  t.notOk(code === 0 && signal === null)
  t.same(readdirSync(TMPDIR), ['begun'])
})

t.test('a file that ends the process does not pass for those after it', async t => {
  t.equal(await codeOf('test/core/hex.test.ts'), 0)
  t.equal(await codeOf('test/fixtures/ends-early.ts', 'test/core/hex.test.ts'), 1)
})
