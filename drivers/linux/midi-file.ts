/** Raw MIDI ports of ALSA: `/dev/snd/midiC<card>D<device>`, bytes as they are on the wire (Documentation/sound/designs). */
import type { DeviceFile, Prepared } from './device-stream.js'

export class MidiFile implements DeviceFile {
  readonly name: string
  /** A quarter frame comes every 8 to 10 ms, and is only worth the moment at which it came. */
  readonly readEveryMs = 1
  readonly #path: string

  constructor(path: string) {
    this.name = `MIDI port ${path}`
    this.#path = path
  }

  async find(): Promise<string> {
    return this.#path
  }

  async prepare(): Promise<Prepared> {
    return { beforeClose: () => {}, isEmptyReadTheEnd: false }
  }
}
