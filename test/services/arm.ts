import type { Bus } from '../../runtime/core/bus.js'
import type { Messages } from '../../runtime/topics.js'

/** What a show says that was loaded, or that begins: nothing runs yet. */
export const arm = (bus: Bus<Messages>, isArmed: boolean): void =>
  bus.publish('show/state', {
    name: 'evening',
    digest: 'a',
    isArmed,
    current: null,
    next: null,
    epoch: 0,
    running: [],
    isBlackout: false,
    isPanic: false,
    manual: {},
  })
