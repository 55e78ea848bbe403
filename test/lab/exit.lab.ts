/** A process that holds lines ends when it should: no thread keeps it, and its outputs are left safe. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const program = fileURLToPath(new URL('./exit-program.js', import.meta.url))

for (const [ending, status] of [
  ['stop', 0],
  ['exit', 3],
  ['throw', 1],
] as const)
  t.test(`a process that ends by ${ending} ends, with its outputs safe`, async t => {
    const folder = mkdtempSync('/tmp/exit-')
    const file = join(folder, 'output')
    const {
      status: ended,
      signal,
      stderr,
    } = spawnSync(process.execPath, [program, ending, file], {
      timeout: 20_000,
      encoding: 'utf8',
    })
    t.equal(signal, null, 'it ends by itself')
    t.equal(ended, status, stderr)
    t.equal(readFileSync(file, 'latin1'), '0')
  })
