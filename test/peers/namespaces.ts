/**
 * Networks of a test's own: namespaces of the kernel, joined by a bridge in one more of them. What is in one of them sees
 * nothing of the machine's network, nor the machine anything of it. Their names have the process id of the test, so that
 * those of a test that was killed can be told from those of one that runs.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What every namespace calls its interface to the others. */
export const LAN = 'lan'

/** Where distributions put what root uses, whatever the test's own PATH is. */
export const environment = {
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
  // What the test runner puts into its children must not reach theirs.
  NODE_OPTIONS: '',
}

export interface Namespaces {
  /** `[program, arguments]` that run the program given in the namespace of that number, from 0, as one process. */
  within(number: number, program: string, args: readonly string[]): [string, string[]]
  /** Pulls its cable out of the bridge, or puts it back. */
  plug(number: number, isIn: boolean): void
  /** Turns its own interface off, or on. */
  turn(number: number, isOn: boolean): void
  remove(): void
}

/** Null where namespaces can be made. */
export function whyNoNamespaces(): string | null {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!hasProgram('ip')) return 'iproute2 is not installed'
  return works('unshare', ['--net', '--mount', 'true']) ? null : 'the kernel gives no namespaces'
}

export const hasProgram = (name: string): boolean => works('which', [name])

let madeCount = 0

/**
 * @param count of namespaces: the first is 10.77.0.1, the next 10.77.0.2, and so on
 * @param network of theirs, three bytes of it
 */
export function makeNamespaces(count: number, network = '10.77.0'): Namespaces {
  if (madeCount === 0) removeLeft()
  const prefix = `roadcase-${process.pid}-${++madeCount}`
  const names = Array.from({ length: count }, (_, number) => `${prefix}-${number}`)
  const hub = `${prefix}-hub`
  const made: string[] = []
  const remove = (): void => {
    process.off('exit', remove)
    for (const name of made.splice(0)) ip('netns', 'del', name)
  }
  // A test that fails half-way must not leave them.
  process.once('exit', remove)
  for (const name of [hub, ...names]) {
    ip('netns', 'add', name)
    made.push(name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
  ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge', 'mcast_snooping', '0')
  ip('-n', hub, 'link', 'set', 'bridge', 'up')
  names.forEach((name, number) => {
    const port = `port${number}`
    ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', LAN, 'netns', name)
    ip('-n', hub, 'link', 'set', port, 'master', 'bridge', 'up')
    ip('-n', name, 'addr', 'add', `${network}.${number + 1}/24`, 'dev', LAN)
    ip('-n', name, 'link', 'set', LAN, 'up')
  })
  return {
    within: (number, program, args) => [
      'ip',
      ['netns', 'exec', names[number] ?? '', program, ...args],
    ],
    plug: (number, isIn) => ip('-n', hub, 'link', 'set', `port${number}`, isIn ? 'up' : 'down'),
    turn: (number, isOn) => ip('-n', names[number] ?? '', 'link', 'set', LAN, isOn ? 'up' : 'down'),
    remove,
  }
}

const OURS = /^roadcase-(\d+)-\d+-(?:hub|\d+)(?= |$)/gm

/** Those of tests that were killed, and what they have left running in them. */
function removeLeft(): void {
  for (const [name, pid] of said('ip', ['netns', 'list']).matchAll(OURS)) {
    if (isRunning(Number(pid))) continue
    for (const left of said('ip', ['netns', 'pids', name]).split('\n')) end(Number(left))
    // Another test may do the same at this moment.
    works('ip', ['netns', 'del', name])
  }
}

/** Not one that has ended and waits to be asked for how. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    // It is gone.
    return false
  }
}

function end(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function said(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { env: environment, encoding: 'utf8', stdio: 'pipe' })
  } catch {
    // Then it has nothing to say.
    return ''
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { env: environment })
}

function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { env: environment, stdio: 'ignore' })
    return true
  } catch {
    // Then it does not.
    return false
  }
}
