/**
 * The guard: a process of its own that outlives its box by a moment. It keeps the last words of each output, and carries
 * them out when the socket to its host ends, whatever ended it: a bug, a kill, no memory, a crash in native code. What
 * was taken back in an orderly stop is not there any more, so then it does nothing.
 *
 * It sleeps in poll(2) and never returns to its event loop. Started by `guard.ts` with the socket as descriptor 3 and
 * the heartbeat's limit, in milliseconds, as its argument.
 */
import { readSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { errnoOf } from './errno.js'
import { type GuardReport, Lines, lineOf, readOrder } from './guard-protocol.js'
import { GuardWatch } from './guard-watch.js'
import { carryOut, carryOutAll, carryOutAsOwner, type Outcome } from './last-act.js'
import type { LastWord, LockedWord } from './last-words.js'
import { openLibc, pollEntries } from './libc.js'

const SOCKET = 3
const STANDARD_ERROR = 2
const READ_BYTES = 16 * 1024
/** Poll takes no more; nothing is due so late. */
const WAIT_MS_MAX = 2 ** 31 - 1
/**
 * So long the kernel may take to free what a dead process had, and no longer: whoever has it then is alive. A box needs
 * more to start again.
 */
const FREEING_MS_MAX = 250
const FREEING_PAUSE_MS = 1

const libc = await openLibc()
const { SIGHUP, SIGINT, SIGTERM, SIGQUIT } = constants.signals
// Ending a box means its whole group to some; the guard ends by itself, after it.
for (const signal of [SIGHUP, SIGINT, SIGTERM, SIGQUIT]) libc.ignoreSignal(signal)

const watch = new GuardWatch({ heartbeatMs: Number(process.argv[2]) })
const lines = new Lines()
const bytes = new Uint8Array(READ_BYTES)
const socket = pollEntries([SOCKET])

tell({ kind: 'ready' })
while (turn());
const endMs = nowMs()
const { words } = watch
if (words.length > 0)
  sayWhatWasDone(carryOutAll(words, word => carryOut(libc, word), waitForFreeing))
process.exit()

/** Hears what came, or notices that nothing comes; false when the host is gone. */
function turn(): boolean {
  const waitMs = watch.waitMs(nowMs()) ?? WAIT_MS_MAX
  if (libc.poll(socket, 1, Math.min(WAIT_MS_MAX, Math.ceil(waitMs) + 1)) > 0) return hear()
  const silentMs = watch.takeSilence(nowMs())
  if (silentMs !== null) standIn(silentMs)
  return true
}

function hear(): boolean {
  const count = readSocket()
  for (const line of lines.take(bytes.subarray(0, count))) watch.hear(readOrder(line), nowMs())
  return count > 0
}

/** 0 at the end; a host that was killed before it read everything resets its socket. */
function readSocket(): number {
  try {
    return readSync(SOCKET, bytes)
  } catch (error) {
    if (errnoOf(error) === 'ECONNRESET') return 0
    throw error
  }
}

/** The host has its lines, and its firing thread makes them safe; the rest is done here, behind the host's back. */
function standIn(silentMs: number): void {
  const others = watch.words.filter(isNoLine)
  if (others.length === 0) return
  const { failures } = carryOutAll(
    others,
    word => carryOutAsOwner(libc, word),
    () => false,
  )
  tell({ kind: 'silent', atMs: nowMs(), silentMs, failures: failures.slice(0, 8) })
}

function isNoLine(word: LastWord): word is LockedWord {
  return word.kind !== 'line'
}

function waitForFreeing(): boolean {
  if (nowMs() - endMs > FREEING_MS_MAX) return false
  libc.poll(socket, 0, FREEING_PAUSE_MS)
  return true
}

function tell(report: GuardReport): void {
  try {
    writeSync(SOCKET, lineOf(report))
  } catch (error) {
    // A host that is gone needs no report; its end is read next.
    if (errnoOf(error) === null) throw error
  }
}

/** The box is dead, so this goes where its log goes, in the same form. */
function sayWhatWasDone({ done, left, failures }: Outcome): void {
  const time = new Date().toISOString()
  const tookMs = Math.round((nowMs() - endMs) * 100) / 100
  const facts = { done, left, failures, tookMs }
  const level = failures.length > 0 ? 'error' : 'warn'
  const line = { level, time, process: 'guard', event: 'guard.spoke', facts }
  try {
    writeSync(STANDARD_ERROR, `${JSON.stringify(line)}\n`)
  } catch (error) {
    // Nobody reads the log any more, and there is nobody left to tell.
    if (errnoOf(error) === null) throw error
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
