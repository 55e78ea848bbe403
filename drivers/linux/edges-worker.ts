/**
 * The edges thread: sleeps in poll(2) on every watched line, and tells the main thread what happened. Its second
 * reason to wake is an eventfd, written to when there is a command or when it is time to leave.
 */
import { readSync } from 'node:fs'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import {
  type EdgesCommand,
  type EdgesReport,
  type EdgesSetup,
  EdgesWord,
  isBehind,
} from './edges-protocol.js'
import { EVENT_BUFFER_SIZE, EVENT_BYTES, readEvents } from './gpio-uapi.js'
import { openLibc, PollEvent, pollEntries, pollResult } from './libc.js'

/** Even a lost wake-up delays the end of the thread by no more than this. */
const POLL_MS_MAX = 1000

assert(parentPort !== null, 'the edges thread is a worker')
const port = parentPort
const { shared, wakeFd }: EdgesSetup = workerData
const words = new Int32Array(shared)
const libc = await openLibc()
const watched = new Set<number>()
const bytes = new Uint8Array(EVENT_BYTES * EVENT_BUFFER_SIZE)

const report = (message: EdgesReport): void => port.postMessage(message)

while (Atomics.load(words, EdgesWord.isStopping) === 0) turn()

function turn(): void {
  const isPaused = pauseIfBehind()
  const fds = isPaused ? [wakeFd] : [wakeFd, ...watched]
  const entries = pollEntries(fds)
  if (libc.poll(entries, fds.length, POLL_MS_MAX) === 0) return
  for (const [index, fd] of fds.entries()) {
    const result = pollResult(entries, index)
    if (result === 0) continue
    if (fd === wakeFd) obey()
    else if ((result & (PollEvent.error | PollEvent.hangUp | PollEvent.invalid)) !== 0) lose(fd)
    else readLine(fd)
  }
}

/** The flag is raised before the second look, so that a main thread that catches up in between sees it and wakes us. */
function pauseIfBehind(): boolean {
  Atomics.store(words, EdgesWord.isWaiting, 0)
  if (!isBehind(words)) return false
  Atomics.store(words, EdgesWord.isWaiting, 1)
  return isBehind(words)
}

function obey(): void {
  readSync(wakeFd, new Uint8Array(8))
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    const command: EdgesCommand = next.message
    const { fd } = command
    if (command.kind === 'watch') watched.add(fd)
    else watched.delete(fd)
    report({ kind: command.kind === 'watch' ? 'watched' : 'unwatched', fd })
  }
}

function readLine(fd: number): void {
  // A command of this very turn may have ended the watch.
  if (!watched.has(fd)) return
  try {
    const events = readEvents(bytes.subarray(0, readSync(fd, bytes)))
    Atomics.add(words, EdgesWord.reported, events.length)
    report({ kind: 'events', fd, events })
  } catch {
    // Whatever it was, this line can no longer be read; its owner hears of it and opens it again.
    lose(fd)
  }
}

function lose(fd: number): void {
  if (watched.delete(fd)) report({ kind: 'gone', fd })
}
