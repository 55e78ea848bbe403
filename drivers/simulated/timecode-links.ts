/** The ways of timecode on a simulated machine; the far sides are whatever a test puts there. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import type { SoundOut } from '../../runtime/ports/sound.js'
import type { Datagrams, SoundInput, TimecodeLinks } from '../../runtime/ports/timecode-links.js'
import { SimulatedByteStream } from './byte-stream.js'
import { SimulatedDatagramNetwork } from './datagrams.js'
import { SimulatedSound } from './sound.js'
import { SimulatedSoundCard } from './sound-card.js'

const CARD = { rate: 48_000, heldCount: 12_000, periodCount: 960, ppm: 0 }

export class SimulatedTimecodeLinks implements TimecodeLinks {
  readonly network: SimulatedDatagramNetwork
  /** What every sound input hears. */
  readonly sound = new SimulatedSound()
  /** What every sound output plays on. */
  readonly soundCard: SimulatedSoundCard
  readonly #midi = new Map<string, SimulatedByteStream>()

  constructor(clock: Clock) {
    this.soundCard = new SimulatedSoundCard(clock, CARD)
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

  soundOut(): SoundOut {
    return this.soundCard
  }

  /** The far side of a MIDI port. */
  midiPort(file: string): SimulatedByteStream {
    const known = this.#midi.get(file) ?? new SimulatedByteStream(file)
    this.#midi.set(file, known)
    return known
  }
}
