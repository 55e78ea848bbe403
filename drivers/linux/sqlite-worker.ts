/** The thread in which the database may block: gathers what waits, and answers it together. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../runtime/core/errors.js'
import { SqliteEngine } from './sqlite-engine.js'
import { failureOf } from './sqlite-failures.js'
import type { FromWorker, SqliteWorkerStart, ToWorker } from './sqlite-protocol.js'

/** At most so much is synced together, so that nobody waits long behind one large group. */
const GROUP_REQUESTS_MAX = 256
const GROUP_BYTES_MAX = 4 * 1024 * 1024

type Ask = Extract<ToWorker, { kind: 'ask' }>

function serve(port: NonNullable<typeof parentPort>, { path, limits }: SqliteWorkerStart): void {
  const engine = new SqliteEngine(path, limits)
  const say = (message: FromWorker): void => port.postMessage(message)
  const waiting: Ask[] = []
  let isClosing = false

  const drain = (): void => {
    const group = takeGroup(waiting)
    if (group.length > 0) {
      const answers = engine.run(group.map(({ request }) => request))
      say({
        kind: 'answers',
        answers: answers.flatMap((answer, at) => {
          const ask = group[at]
          return ask ? [{ id: ask.id, answer }] : []
        }),
      })
    }
    if (waiting.length > 0) setImmediate(drain)
    else if (isClosing) close()
  }

  const close = (): void => {
    port.close()
    engine.close()
  }

  port.on('message', (message: ToWorker) => {
    if (message.kind === 'close') isClosing = true
    else waiting.push(message)
    // Everything that has arrived by then goes into one group.
    if (isClosing || waiting.length === 1) setImmediate(drain)
  })

  try {
    say({ kind: 'opened', ...engine.open() })
  } catch (error) {
    say(failureOf(error))
    port.close()
  }
}

function takeGroup(waiting: Ask[]): readonly Ask[] {
  let byteCount = 0
  let count = 0
  for (const ask of waiting.slice(0, GROUP_REQUESTS_MAX)) {
    byteCount += ask.byteCount
    if (count > 0 && byteCount > GROUP_BYTES_MAX) break
    count++
  }
  return waiting.splice(0, count)
}

assert(parentPort !== null, 'the store runs in a worker thread')
serve(parentPort, workerData)
