import type { Cancel, Clock } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import { BoxError, ConfigError, messageOf } from './errors.js'
import { after } from './time.js'

/** What every long-lived part of the box is. The constructor keeps its arguments and does nothing else. */
export interface Service {
  readonly name: string
  start(): Promise<void>
  /** Safe to call twice, and after a failed start. Leaves outputs in their safe state. */
  stop(): Promise<void>
}

const START_MS_MAX = 30_000
const STOP_MS_MAX = 5_000

/**
 * Starts in the order given; a failed start stops what had started, and is thrown with the service's name and the code
 * it had. Returns the function that stops all in reverse order, each within its deadline; it never throws, and may be
 * called twice: whoever calls it waits until all are stopped.
 */
export async function startAll(
  clock: Clock,
  log: Log,
  services: readonly Service[],
): Promise<() => Promise<void>> {
  const started: Service[] = []
  const stopOnce = async (): Promise<void> => {
    for (let service = started.pop(); service; service = started.pop())
      await stopOne(clock, log, service)
  }
  let stopping: Promise<void> | null = null
  const stopAll = (): Promise<void> => {
    stopping ??= stopOnce()
    return stopping
  }
  for (const service of services) {
    started.push(service)
    try {
      await within(clock, START_MS_MAX, `${service.name} did not start`, service.start())
    } catch (cause) {
      await stopAll()
      throw startFailure(service, cause)
    }
  }
  return stopAll
}

async function stopOne(clock: Clock, log: Log, service: Service): Promise<void> {
  const { name } = service
  try {
    await within(clock, STOP_MS_MAX, `${name} did not stop`, service.stop())
  } catch (error) {
    log.error('service.stop-failed', { service: name, error: messageOf(error) })
  }
}

/** A config error says by itself what is wrong and where. */
function startFailure({ name }: Service, cause: unknown): Error {
  if (cause instanceof ConfigError) return cause
  const message = `${name} did not start`
  if (!(cause instanceof BoxError)) return new Error(message, { cause })
  return new BoxError(cause.code, message, { cause })
}

/** The work's result, or `service.timeout` when it takes longer. The work itself goes on; nobody hears how it ends. */
export function within<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel: Cancel = clock.runAt(after(clock.monotonicMs(), limitMs), () =>
      reject(new BoxError('service.timeout', `${what} within ${limitMs} ms`)),
    )
    work.then(resolve, reject).finally(cancel)
  })
}
