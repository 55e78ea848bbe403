import t from 'tap'
import { changedBlocks, Pca9685 } from '../../drivers/pca9685.js'
import { Pca9685Frames } from '../../drivers/pca9685-frames.js'
import { randomFrom } from '../../runtime/core/random.js'
import type { Fired } from '../../runtime/ports/host.js'
import { at, during, makeBench } from './bench.js'

const all = (count: number): number[] => Array.from({ length: 16 }, () => count)
/** Of the simulated bus, at 100 kHz: nine bits. */
const MS_PER_BYTE = 0.09

async function opened() {
  const bench = makeBench({ isI2cTimed: true })
  const { clock, host, dimmer } = bench
  host.wire('dimmer-enable').setActive(true)
  const device = host.i2cDevice('header', 0x40)
  const chip = new Pca9685(device, clock, { frequencyHz: 1000, isStaggered: false })
  const fired: Fired[] = []
  const faults: Error[] = []
  const frames = new Pca9685Frames(device, clock, chip, {
    shown: one => void fired.push(one),
    failed: fault => void faults.push(fault),
  })
  await during(clock, chip.configure())
  for (const block of changedBlocks(null, all(0))) await during(clock, chip.write(block))
  await frames.open(MS_PER_BYTE)
  const counts = (): number[] => dimmer.duties().map(duty => Math.round(duty * 4096))
  const soon = (durationMs: number) => at(clock.monotonicMs() + durationMs)
  return { ...bench, frames, fired, faults, counts, soon }
}

t.test('what a frame changed that was taken back is in the next one', async t => {
  const { clock, frames, counts, soon } = await opened()
  frames.add(all(0).with(0, 100).with(15, 100), soon(50))
  frames.clear()
  frames.add(all(0).with(15, 100), soon(60))
  frames.add(all(0).with(3, 7), soon(80))
  await clock.advance(70)
  t.same(counts(), all(0).with(15, 100))
  await clock.advance(70)
  t.same(counts(), all(0).with(3, 7))
})

t.test('a frame that is on the bus is let through, and the next one builds on it', async t => {
  const { clock, frames, fired, counts, soon } = await opened()
  frames.add(all(4096), soon(20))
  frames.add(all(1), soon(100))
  await clock.advance(17)
  frames.clear()
  t.same(frames.last, all(4096))
  frames.add(all(4096).with(2, 0), soon(50))
  await clock.advance(100)
  t.same(counts(), all(4096).with(2, 0))
  t.equal(fired.length, 2)
})

t.test('of more frames than may wait some are lost, and never the end', async t => {
  const { clock, host, frames, faults, counts, soon } = await opened()
  const begun = soon(50)
  for (let frame = 1; frame <= 400; frame++) frames.add(all(frame), at(begun + frame * 25))
  await clock.advance(100 + 400 * 25)
  t.same(counts(), all(400))
  t.same(faults, [])
  t.ok(host.bus('header').transferCount < 2 * 260 + 20)
})

t.test('held off, frames pass unseen; let go, it goes on where it would stand', async t => {
  const { clock, frames, fired, counts, soon } = await opened()
  const begun = soon(0)
  for (let frame = 1; frame <= 20; frame++) frames.add(all(frame * 100), at(begun + frame * 25))
  await clock.advance(101)
  t.same(counts(), all(400))
  frames.holdOff()
  await clock.advance(4)
  t.same(counts(), all(0))
  await clock.advance(100)
  t.same(counts(), all(0))
  const shown = fired.length
  frames.goOn()
  await clock.advance(8)
  t.same(counts(), all(800), 'what should be seen by now')
  t.equal(fired.length, shown, 'which is no news')
  await clock.advance(300)
  t.same(counts(), all(2000))
  t.equal(fired.at(-1)?.plannedMs, begun + 20 * 25)
})

t.test('after the host made the chip safe, the next frame writes all of it', async t => {
  const { clock, host, frames, counts, soon } = await opened()
  const device = host.i2cDevice('header', 0x40)
  await device.setLastWords([{ register: 0xfd, bytes: Uint8Array.of(0x10) }])
  frames.add(all(4096), soon(10))
  frames.add(all(4095), soon(100))
  await clock.advance(20)
  host.carryOutLastWords()
  await clock.advance(100)
  t.same(counts(), all(0))
  frames.add(all(4095).with(0, 9), soon(10))
  await clock.advance(20)
  t.same(counts(), all(4095).with(0, 9))
})

t.test('a chip that is gone fails its frame, and closing may come twice', async t => {
  const { clock, dimmer, frames, faults, soon } = await opened()
  dimmer.isPlugged = false
  frames.add(all(1), soon(10))
  await clock.advance(30)
  t.match(faults, [{ code: 'device.absent' }])
  await during(clock, frames.close())
  await frames.close()
  await frames.open(MS_PER_BYTE)
})

t.test('whatever comes and is taken back, what was asked for last is what stays', async t => {
  let [overtaken, heldOff] = [0, 0]
  for (let seed = 1; seed <= 150; seed++) {
    const random = randomFrom(seed)
    const { clock, frames, counts, fired, dimmer, soon } = await opened()
    const level = (): number => Math.floor(random() * 4097)
    let [wanted, asked, isOff] = [all(0), 0, false]
    const acts = [
      () => {
        const step = random() < 0.3 ? 2 : 25
        for (let frame = 1; frame <= 12; frame++) {
          wanted = random() < 0.5 ? all(level()) : frames.last.with(level() % 16, level())
          asked++
          frames.add(wanted, soon(frame * step + random()))
        }
      },
      () => {
        wanted = all(level())
        frames.add(wanted, soon(random() < 0.5 ? 0 : 10))
      },
      () => {
        frames.clear()
        wanted = frames.last.with(level() % 16, level())
        frames.add(wanted, soon(5))
      },
      () => {
        if (isOff) frames.goOn()
        else frames.holdOff()
        isOff = !isOff
        heldOff++
      },
    ]
    for (let count = 0; count < 30; count++) {
      acts[Math.floor(random() * acts.length)]?.()
      await clock.advance(random() * (random() < 0.5 ? 4 : 80))
    }
    if (isOff) frames.goOn()
    await clock.advance(1_000)
    t.same(counts(), wanted, `seed ${seed}`)
    t.equal(dimmer.violations, 0)
    if (fired.length < asked) overtaken++
  }
  t.ok(overtaken > 50 && heldOff > 50, `${overtaken}, ${heldOff}`)
})
