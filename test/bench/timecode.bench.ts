/** Timecode on this machine: when frames leave, what reading sound costs, and how far the line is from the source. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxTimecodeLinks } from '../../drivers/linux/timecode-links.js'
import { Bus } from '../../runtime/core/bus.js'
import { randomFrom } from '../../runtime/core/random.js'
import { check } from '../../runtime/core/schema.js'
import { monotonicMs } from '../../runtime/core/time.js'
import { frameMs, frameOfDay } from '../../runtime/core/timecode.js'
import { timecodeConfig } from '../../runtime/core/timecode-config.js'
import { readArtTimeCode } from '../../runtime/services/timecode/art-timecode.js'
import { Chase, frameAt } from '../../runtime/services/timecode/chase.js'
import { LtcDecoder } from '../../runtime/services/timecode/ltc-decode.js'
import { ltcSamples } from '../../runtime/services/timecode/ltc-encode.js'
import { Timecode } from '../../runtime/services/timecode/timecode.js'
import type { Messages } from '../../runtime/topics.js'

const SECONDS = Number(process.env['SECONDS'] ?? 20)
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[
    Math.min(values.length - 1, Math.floor(share * values.length))
  ] ?? Number.NaN
const summary = (values: readonly number[], unit: string): string =>
  [0.5, 0.99, 1].map(share => `${percentile(values, share).toFixed(3)} ${unit}`).join(' / ')

await sending()
reading()
following()

/** How late each frame left, by the moment at which a socket on loopback heard it: what the kernel adds is in it. */
async function sending(): Promise<void> {
  const clock = new LinuxClock(ownAnchor())
  const links = new LinuxTimecodeLinks(clock)
  const ear = links.datagrams(0)
  await ear.open()
  const late: number[] = []
  ear.onMessage(({ bytes, at }) => {
    const found = readArtTimeCode(bytes)
    if (found === null) return
    const show = clock.monotonicToShow(at) % 86_400_000
    late.push(show - found.frame * frameMs(found.rate))
  })
  const log = { info() {}, warn() {}, error() {} }
  const files = { read: async () => null, replace: async () => {}, remove: async () => {} }
  const to = { kind: 'artnet', rate: '30', to: '127.0.0.1', port: ear.port() }
  const config = check(timecodeConfig, { out: [to] }, 'timecode')
  const ports = { clock, log, files, links, bus: new Bus<Messages>() }
  const service = new Timecode(ports, config, [])
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  await service.start()
  await new Promise(resolve => setTimeout(resolve, SECONDS * 1_000))
  await service.stop()
  await ear.close()
  print(`Art-Net frames at 30/s: ${late.length} in ${SECONDS} s, late p50/p99/max`)
  print(`  ${summary(late, 'ms')}`)
  print(`  timers of this process, beside it, p99 ${(delays.percentile(99) / 1e6).toFixed(3)} ms`)
}

/** A minute of it, as fast as it goes. */
function reading(): void {
  for (const sampleRate of [48_000, 96_000]) {
    const blocks = Array.from({ length: 1_500 }, (_, frame) =>
      ltcSamples(frame, { rate: '25', sampleRate }),
    )
    const began = process.hrtime.bigint()
    const decoder = new LtcDecoder(sampleRate)
    let count = 0
    for (const block of blocks) count += decoder.read(block).length
    const tookMs = Number(process.hrtime.bigint() - began) / 1e6
    const times = (60_000 / tookMs).toFixed(0)
    print(
      `LTC at ${sampleRate} samples/s: ${count} of 1500 frames, ${times} times as fast as it plays`,
    )
  }
}

/** What the line says of the moment 200 ms ahead, when every frame is late by up to so much at random. */
function following(): void {
  const random = randomFrom(1)
  for (const jitterMs of [0, 1, 5, 20]) {
    const chase = new Chase({ lockFrames: 3, flywheelMs: 1_000, onLoss: 'stop' })
    const off: number[] = []
    for (let index = 0; index < 25 * 60; index++) {
      const atMs = index * 40
      const at = monotonicMs(atMs + random() * jitterMs)
      chase.see({ rate: '25', frame: frameOfDay(index, '25'), at })
      if (chase.run === null || index < 100) continue
      const ahead = frameAt(chase.run, monotonicMs(atMs + 200))
      off.push(Math.abs((ahead - index) * 40 - 200 + jitterMs / 2))
    }
    print(
      `chase, frames late by 0 to ${jitterMs} ms: off by ${summary(off, 'ms')}, the mean taken off`,
    )
  }
}
