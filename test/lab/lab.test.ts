/**
 * Runs the programs of this folder on the lab machine: a Linux kernel with simulated hardware (see README.md). Where
 * there is no lab, and none can be made, this says why; in the gate a missing lab is a failure.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('../..', import.meta.url))
const hilRun = join(root, 'test/lab/hil-run')
/** The first build of the kernel takes minutes on an idle machine. */
const BUILD_MS_MAX = 45 * 60_000
const RUN_SECONDS_MAX = 240
const DISK_BYTES = 128 * 1024 * 1024

/** What some programs need beside the machine itself; `disk` is an empty file that lives as long as the test. */
const optionsOf = (disk: string): Readonly<Record<string, readonly string[]>> => ({
  'power-cut.lab.ts': ['-r', '2', '-a', `ubd0=${disk}`],
})

function emptyDisk(folder: string): string {
  const path = join(folder, 'disk.img')
  writeFileSync(path, '')
  truncateSync(path, DISK_BYTES)
  return path
}

/** The last lines that a failed command wrote, or null when it went well. */
function failureOf(command: string, args: readonly string[]): string | null {
  const options = { cwd: root, encoding: 'utf8', timeout: BUILD_MS_MAX } as const
  const { status, error, stdout, stderr } = spawnSync(command, args, options)
  if (status === 0) return null
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n')
  return `${command} ${args.join(' ')}: ${error?.message ?? `status ${status}`}\n${said}`
}

/** Null when a machine starts and stops here; else why not. A kernel that does not run here is built again, once. */
function whyNoLab(): string | null {
  if (failureOf(hilRun, ['-b', 'true']) === null) return null
  return failureOf(join(root, 'test/lab/build-kernel'), []) ?? failureOf(hilRun, ['-b', 'true'])
}

function newestMs(folder: string): number {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
  const times = entries
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => statSync(join(entry.parentPath, entry.name)).mtimeMs)
  return Math.max(0, ...times)
}

/** The lab machine runs what the compiler wrote, so that must not be older than the sources. */
function whyNotBuilt(): string | null {
  const sources = ['boards', 'drivers', 'runtime', 'test/lab', 'test/ports'].map(newestMs)
  const builtMs = statSync(join(root, 'dist/.tsbuildinfo'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (builtMs > Math.max(...sources)) return null
  return failureOf(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
}

t.setTimeout(2 * BUILD_MS_MAX)
const whyNot = whyNoLab()
if (whyNot !== null && process.env['CI'] === undefined) t.plan(0, `no lab: ${whyNot}`)
else {
  t.equal(whyNot, null, 'the lab machine runs')
  t.equal(whyNotBuilt(), null, 'the programs are compiled')
  const programs = readdirSync(join(root, 'test/lab')).filter(name => name.endsWith('.lab.ts'))
  t.ok(programs.length > 0)
  for (const program of programs) {
    const script = `dist/test/lab/${program.replace(/\.ts$/, '.js')}`
    const wanted = optionsOf(emptyDisk(t.testdir()))[program] ?? []
    const args = ['-t', String(RUN_SECONDS_MAX), ...wanted, 'node', script]
    const env = { ...process.env, TAP_TIMEOUT: String(RUN_SECONDS_MAX) }
    const options = { cwd: root, env, timeout: RUN_SECONDS_MAX * 1000 }
    await t.spawn(hilRun, args, options, `lab: ${program}`)
  }
}
