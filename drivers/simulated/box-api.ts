import { BoxError } from '../../runtime/core/errors.js'
import type { BoxApi, BoxReport } from '../../runtime/ports/box-api.js'

export const wellBox: BoxReport = {
  isReady: true,
  devices: [],
  isBrokerLooping: true,
  clock: null,
  peersHeard: null,
  isHubSeen: null,
}

/** A box that tells what it is told to tell; null: nobody answers. */
export class SimulatedBoxApi implements BoxApi {
  told: BoxReport | null

  constructor(told: BoxReport | null) {
    this.told = told
  }

  async report(): Promise<BoxReport> {
    if (this.told === null) throw new BoxError('link.down', 'the box is not there')
    return this.told
  }
}
