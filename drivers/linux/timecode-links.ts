/** The ways of timecode on this machine. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { ByteStream } from '../../runtime/ports/host.js'
import type { SoundOut } from '../../runtime/ports/sound.js'
import type { Datagrams, SoundInput, TimecodeLinks } from '../../runtime/ports/timecode-links.js'
import { Aplay } from './aplay.js'
import { Claims } from './claims.js'
import { UdpDatagrams } from './datagrams.js'
import { DeviceStream } from './device-stream.js'
import { MidiFile } from './midi-file.js'
import { RecordedSound } from './recorded-sound.js'

export class LinuxTimecodeLinks implements TimecodeLinks {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  datagrams(port: number): Datagrams {
    return new UdpDatagrams(this.#clock, port)
  }

  midi(file: string): ByteStream {
    return new DeviceStream(this.#clock, new Claims(), new MidiFile(file))
  }

  soundIn(device: string, sampleRate: number): SoundInput {
    return new RecordedSound(this.#clock, { device, sampleRate })
  }

  soundOut(device: string): SoundOut {
    return new Aplay(this.#clock, device)
  }
}
