/**
 * Runs the programs of this folder on the lab machine: a Linux kernel with simulated hardware (see README.md). Where
 * there is no lab, and none can be made, this says why; in the gate a missing lab is a failure.
 */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BUILD_MS_MAX, hilRun, whyNoLab, whyNotBuilt } from './ready.js'

const RUN_SECONDS_MAX = 480
const DISK_BYTES = 128 * 1024 * 1024

/** What some programs need beside the machine itself; `disk` is an empty file that lives as long as the test. */
const optionsOf = (disk: string): Readonly<Record<string, readonly string[]>> => ({
  'power-cut.lab.ts': ['-r', '2', '-a', `ubd0=${disk}`],
  // One boot for each reset; as many as LAB_OTA_BOOTS says.
  'ota.lab.ts': ['-r', process.env['LAB_OTA_BOOTS'] ?? '12', '-b', '-a', `ubd0=${disk}`],
  'pieces.lab.ts': ['-r', '5', '-b', '-a', `ubd0=${disk}`],
  'os.lab.ts': ['-r', process.env['LAB_OS_BOOTS'] ?? '11', '-b', '-a', `ubd0=${disk}`],
})

/** Every program, but for those that another one runs: see `drivers.lab.ts`. */
function programsToRun(): string[] {
  const all = readdirSync('test/lab').filter(name => name.endsWith('.lab.ts'))
  const parts = all.flatMap(name =>
    [...readFileSync(`test/lab/${name}`, 'utf8').matchAll(/^import '\.\/(.+)\.js'$/gm)].map(
      ([, part]) => `${part}.ts`,
    ),
  )
  return all.filter(name => !parts.includes(name))
}

function emptyDisk(folder: string): string {
  const path = join(folder, 'disk.img')
  writeFileSync(path, '')
  truncateSync(path, DISK_BYTES)
  return path
}

t.setTimeout(2 * BUILD_MS_MAX)
const whyNot = whyNoLab()
if (whyNot !== null && process.env['CI'] === undefined) t.plan(0, `no lab: ${whyNot}`)
else {
  t.equal(whyNot, null, 'the lab machine runs')
  t.equal(whyNotBuilt(), null, 'the programs are compiled')
  const programs = programsToRun()
  t.ok(programs.length > 0)
  for (const program of programs) {
    const script = `dist/test/lab/${program.replace(/\.ts$/, '.js')}`
    const wanted = optionsOf(emptyDisk(t.testdir()))[program] ?? []
    const args = ['-t', String(RUN_SECONDS_MAX), ...wanted, 'node', script]
    const env = { ...process.env, TAP_TIMEOUT: String(RUN_SECONDS_MAX) }
    const options = { env, timeout: RUN_SECONDS_MAX * 1000 }
    await t.spawn(hilRun, args, options, `lab: ${program}`)
  }
}
