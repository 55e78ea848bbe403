import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Claims } from './claims.js'
import type { Firing } from './firing.js'
import type { GpioBackend } from './gpio-backend.js'
import type { LastWords } from './last-words.js'

/** What all lines of a host share. The backend and the firing thread are there from the host's start on. */
export interface LineServices {
  readonly clock: Clock
  readonly log: Log
  readonly claims: Claims
  backend(): GpioBackend
  firing(): Firing
  lastWords(): LastWords
}
