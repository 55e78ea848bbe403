import { Door, type Openable } from '../../core/door.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'

/** To where timecode comes from or goes. @param kind for the log: what is opened */
export const doorTo = (clock: Clock, log: Log, kind: string, what: Openable): Door =>
  new Door(clock, what, {
    retryMsMin: 1_000,
    retryMsMax: 15_000,
    opened: () => {},
    failed: error => log.warn('timecode.link-lost', { kind, error }),
  })
