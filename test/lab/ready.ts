/** What running programs on the lab machine takes: a kernel that starts here, and programs that are compiled. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const hilRun = 'test/lab/hil-run'
/** The first build of the kernel takes minutes on an idle machine. */
export const BUILD_MS_MAX = 45 * 60_000

/** A kernel of another recipe may lack what the tests look through. */
const RUNS = ['-b', 'grep', '-q', 'tracefs', '/proc/filesystems']

/** The last lines that a failed command wrote, or null when it went well. Runs in the root of the tree. */
export function failureOf(command: string, args: readonly string[]): string | null {
  const options = { encoding: 'utf8', timeout: BUILD_MS_MAX } as const
  const { status, error, stdout, stderr } = spawnSync(command, args, options)
  if (status === 0) return null
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-5).join('\n')
  return `${command} ${args.join(' ')}: ${error?.message ?? `status ${status}`}\n${said}`
}

/**
 * Null when a machine starts and stops here; else why not. A kernel that runs and can be traced is good enough, whatever recipe it is of:
 * building takes longer than all tests together. One is built where there is none, or none that runs on this processor.
 */
export function whyNoLab(): string | null {
  if (failureOf(hilRun, RUNS) === null) return null
  return failureOf('test/lab/build-kernel', []) ?? failureOf(hilRun, RUNS)
}

/** Null when `dist` holds what the sources say. Compiles them where it does not. */
export function whyNotBuilt(): string | null {
  const rooms = ['boards', 'drivers', 'ota', 'runtime', 'test']
  if (rooms.every(isCompiled)) return null
  return failureOf(process.execPath, [
    'node_modules/typescript-native/bin/tsc',
    '-p',
    'tsconfig.json',
  ])
}

/** File by file: a check of types alone leaves the compiler's own notes newer than what it wrote. */
function isCompiled(room: string): boolean {
  const changedMs = (path: string): number =>
    statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return readdirSync(room, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name))
    .every(path => changedMs(join('dist', path.replace(/\.ts$/, '.js'))) > changedMs(path))
}
