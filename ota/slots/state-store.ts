/** The two records in which the state of the slots is kept. */
import type { State } from './slot-state.js'
import { decodeRecord, encodeRecord, RECORD_BYTES_MAX } from './state-record.js'
import { type RecordForm, type RecordPorts, TwoRecords } from './two-records.js'

export const RECORD_FILES = ['slots/state.0', 'slots/state.1'] as const

const form: RecordForm<State> = {
  files: RECORD_FILES,
  family: 'slots',
  byteCountMax: RECORD_BYTES_MAX,
  encode: encodeRecord,
  decode: decodeRecord,
}

/** The launcher writes while nothing of a slot runs, the updater while it does. */
export class StateStore {
  readonly #records: TwoRecords<State>

  constructor(ports: RecordPorts) {
    this.#records = new TwoRecords(ports, form)
  }

  /** Null when neither record can be read: what is known must be found out from the slots themselves. */
  read(): Promise<State | null> {
    return this.#records.read()
  }

  /** For the updater: see `TwoRecords.readAndMend`. */
  readAndMend(): Promise<State | null> {
    return this.#records.readAndMend()
  }

  get troubles(): readonly string[] {
    return this.#records.troubles
  }

  /** The switch: see `TwoRecords.write`. */
  write(state: State): Promise<void> {
    return this.#records.write(state)
  }

  /** For the launcher, before anything runs. */
  repair(): Promise<State | null> {
    return this.#records.repair()
  }
}
