import type { Cancel, Clock } from '../ports/clock.js'
import type { Log } from '../ports/log.js'
import { BoxError, messageOf } from './errors.js'
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
 * Starts in the order given; a failed start stops what had started, and is thrown with the service's name.
 * Returns the function that stops all in reverse order, each within its deadline; it never throws and may be called twice.
 */
export async function startAll(
  clock: Clock,
  log: Log,
  services: readonly Service[],
): Promise<() => Promise<void>> {
  const started: Service[] = []
  const stopAll = async (): Promise<void> => {
    for (let service = started.pop(); service; service = started.pop()) {
      const { name } = service
      await within(clock, STOP_MS_MAX, `${name} did not stop`, service.stop()).catch(
        (error: unknown) =>
          log.error('service.stop-failed', { service: name, error: messageOf(error) }),
      )
    }
  }
  for (const service of services) {
    started.push(service)
    try {
      await within(clock, START_MS_MAX, `${service.name} did not start`, service.start())
    } catch (cause) {
      await stopAll()
      throw cause instanceof BoxError
        ? cause
        : new Error(`${service.name} did not start`, { cause })
    }
  }
  return stopAll
}

/** The work's result, or `service.timeout` when it takes longer. The work itself goes on; its late failure is not lost. */
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
