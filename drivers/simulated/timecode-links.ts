/** The ways of timecode on a simulated machine; the far sides are whatever a test puts there. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import type { Datagrams, SoundInput, TimecodeLinks } from '../../runtime/ports/timecode-links.js'
import { SimulatedByteStream } from './byte-stream.js'
import { SimulatedDatagramNetwork } from './datagrams.js'
import { SimulatedSound } from './sound.js'

export class SimulatedTimecodeLinks implements TimecodeLinks {
  readonly network: SimulatedDatagramNetwork
  /** What every sound input hears. */
  readonly sound = new SimulatedSound()
  readonly #midi = new Map<string, SimulatedByteStream>()

  constructor(clock: Clock) {
    this.network = new SimulatedDatagramNetwork(clock)
  }

  datagrams(port: number): Datagrams {
    return this.network.datagrams(port)
  }

  midi(file: string): ByteStream {
    return this.midiPort(file).stream()
  }

  soundIn(): SoundInput {
    return this.sound
  }

  /** The far side of a MIDI port. */
  midiPort(file: string): SimulatedByteStream {
    const known = this.#midi.get(file) ?? new SimulatedByteStream(file)
    this.#midi.set(file, known)
    return known
  }
}
