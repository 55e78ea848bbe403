/** Sends linear timecode as sound: each sample is what is heard at its show time, whatever the card's own pace. */

import { type Passage, SoundStream } from '../../core/sound-stream.js'
import { NS_PER_MS, showTimeMs } from '../../core/time.js'
import { nsOfFrame } from '../../core/timecode.js'
import type { LtcOutputConfig } from '../../core/timecode-config.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { SoundOut } from '../../ports/sound.js'
import type { Payload } from '../../topics.js'
import { LtcWave } from './ltc-wave.js'
import { OutputRun } from './output-run.js'

export class LtcSender {
  readonly #clock: Clock
  readonly #config: LtcOutputConfig
  readonly #run: OutputRun
  readonly #wave: LtcWave
  readonly #stream: SoundStream

  constructor(clock: Clock, log: Log, sound: SoundOut, config: LtcOutputConfig) {
    this.#clock = clock
    this.#config = config
    this.#run = new OutputRun(config)
    this.#wave = new LtcWave(config.rate)
    const { kind } = config
    const maker = {
      fill: (passage: Passage) => this.#fill(passage),
      restart: () => this.#wave.cut(),
      began: (rate: number) => log.info('timecode.sound', { rate }),
      failed: (error: string) => log.warn('timecode.link-lost', { kind, error }),
    }
    this.#stream = new SoundStream(clock, sound, maker, config.latencyMs)
  }

  start(): void {
    this.#stream.start()
  }

  async stop(): Promise<void> {
    await this.#stream.stop()
  }

  /** @param startShowMs null: it is not, or not any more */
  setArmed(startShowMs: number | null): void {
    this.#run.setArmed(startShowMs)
  }

  read(): Payload<'timecode/state'>['outputs'][number] {
    return this.#run.read(this.#clock.showTimeMs(), this.#stream.trouble)
  }

  /** Silence while nothing runs, and before the show time at which it begins. */
  #fill({ samples, fromShowMs, untilShowMs }: Passage): void {
    const { rate, volume } = this.#config
    const running = this.#run.at(showTimeMs(fromShowMs))
    // The timeline was stepped between the first and the last.
    if (running === null || fromShowMs < running.startShowMs || untilShowMs <= fromShowMs) {
      this.#wave.cut()
      return
    }
    const startNs = nsOfFrame(running.startFrame, rate)
    const fromNs = startNs + (fromShowMs - running.startShowMs) * NS_PER_MS
    this.#wave.fill(samples, fromNs, (untilShowMs - fromShowMs) * NS_PER_MS, volume)
  }
}
