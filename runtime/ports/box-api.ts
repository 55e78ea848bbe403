/** What a running box tells of itself, as far as a release is judged by it. */
export interface BoxApi {
  /** Throws BoxError `link.down` or `link.timeout` while the box cannot be asked. */
  report(): Promise<BoxReport>
}

export interface BoxReport {
  readonly isReady: boolean
  readonly devices: readonly DeviceReport[]
  /** Whether a message that was given to the broker came back from it; null where the broker is somebody else's. */
  readonly isBrokerLooping: boolean | null
  /** Null where the box has no clock to keep: nothing of the config asks for one. */
  readonly clock: { readonly isSound: boolean; readonly words: string } | null
  /** Other boxes of the venue that are heard; null for a box alone. */
  readonly peersHeard: number | null
  /** Null where there is none to be seen. */
  readonly isHubSeen: boolean | null
}

export interface DeviceReport {
  readonly name: string
  readonly isAnswering: boolean
  /** Code and sentence, for people; null when all is well. */
  readonly problem: string | null
}
