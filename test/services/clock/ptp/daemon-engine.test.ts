/** A box whose PTP another program speaks: that program's readings are judged as the own port's are. */
import t from 'tap'
import { SimulatedClock } from '../../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../../drivers/simulated/log.js'
import { Bus } from '../../../../runtime/core/bus.js'
import { DeviceError } from '../../../../runtime/core/errors.js'
import { randomFrom } from '../../../../runtime/core/random.js'
import { Signal } from '../../../../runtime/core/signal.js'
import type { Cancel } from '../../../../runtime/ports/clock.js'
import type { PtpDaemon, PtpLeader, PtpReading } from '../../../../runtime/ports/ptp-daemon.js'
import { shareTime } from '../../../../runtime/services/clock/share-time.js'
import { VenueClock } from '../../../../runtime/services/clock/venue-clock.js'
import type { Messages, Payload } from '../../../../runtime/topics.js'

const SHOW_START_MS = 1_790_000_000_000
const EVERY_MS = 250

const leaderNamed = (identity: string): PtpLeader => ({
  parent: { clock: identity, port: 1 },
  grandmaster: {
    identity,
    priority1: 128,
    clockClass: 13,
    accuracy: 0xfe,
    variance: 0xffff,
    priority2: 128,
  },
  stepsRemoved: 1,
})

const FIRST = '00000000000000a1'
const SECOND = '00000000000000b2'

class StandInDaemon implements PtpDaemon {
  readonly interfaceName = 'eth0'
  readonly hardwareAddress = Uint8Array.of(2, 0, 0, 0, 0, 1)
  readonly address = '10.0.0.1'
  readonly stamps = 'hardware'
  readonly readings = new Signal<PtpReading>()
  readonly lost = new Signal<Error>()
  openCount = 0

  async open(): Promise<void> {
    this.openCount++
  }

  async close(): Promise<void> {}

  onReading(listener: (reading: PtpReading) => void): Cancel {
    return this.readings.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.lost.listen(listener)
  }
}

class Scene {
  readonly clock = new SimulatedClock({ showStartMs: SHOW_START_MS, driftPpm: 0 })
  readonly daemon = new StandInDaemon()
  readonly log = new SimulatedLog()
  readonly bus = new Bus<Messages>()
  readonly service: VenueClock
  readonly states: Payload<'clock/state'>[] = []
  /** What the leader shows is ahead of the start by so much. */
  aheadMs = 0

  constructor() {
    const { clock, log, bus, daemon } = this
    bus.subscribe('clock/state', state => this.states.push(state))
    this.service = new VenueClock(
      { clock, log, bus, files: new SimulatedFiles(), timeline: clock, link: daemon, shareTime },
      {
        ptp: { domain: 42, isPreferred: false, isFollowOnly: true },
        description: { product: 'box', revision: '1', name: 'box' },
        random: randomFrom(1),
        bootId: 'boot',
        floorMs: SHOW_START_MS - 1e9,
        newTimeline: () => '00000000000000ff',
      },
    )
  }

  get state(): Payload<'clock/state'> | undefined {
    return this.states.at(-1)
  }

  get errorMs(): number {
    return this.clock.showTimeMs() - SHOW_START_MS - this.clock.monotonicMs() - this.aheadMs
  }

  /** The other program is read four times a second, with a Sync each time. */
  async run(leader: PtpLeader | null, durationMs: number): Promise<void> {
    for (let ms = 0; ms < durationMs; ms += EVERY_MS) {
      const at = this.clock.monotonicMs()
      const ns = BigInt(SHOW_START_MS) * 1_000_000n + BigInt(Math.round((at + this.aheadMs) * 1e6))
      const measured = { at, masterNs: ns, pathDelayNs: 2_000 }
      this.daemon.readings.emit({ leader, measured: leader === null ? null : measured })
      await this.clock.advance(EVERY_MS)
    }
  }
}

async function following(): Promise<Scene> {
  const scene = new Scene()
  await scene.service.start()
  await scene.clock.advance(1)
  scene.aheadMs = 5_000
  await scene.run(leaderNamed(FIRST), 10_000)
  return scene
}

t.test("its time is the leader's, and it says whose stamps they are", async t => {
  const scene = await following()
  t.match(scene.state, { state: 'following', leader: FIRST, stamps: 'hardware', clocksHeard: 1 })
  t.equal(scene.state?.identity, '020000fffe000001', 'as the other program names its clock')
  t.ok(Math.abs(scene.errorMs) < 0.001, `${scene.errorMs}`)
  t.ok((scene.state?.errorMs ?? 1) < 0.1)
  t.ok(Math.abs((scene.state?.pathDelayMicroseconds ?? 0) - 2) < 0.1)
  await scene.service.stop()
})

t.test('a leader that is gone, or readings that stop, are a holdover', async t => {
  for (const isSilent of [true, false]) {
    const scene = await following()
    if (isSilent) await scene.clock.advance(5_000)
    else await scene.run(null, 1_000)
    t.match(scene.state, { state: 'holdover', leader: null, lastLeader: FIRST })
    t.ok(Math.abs(scene.errorMs) < 0.01)
    await scene.run(leaderNamed(SECOND), 10_000)
    t.match(scene.state, { state: 'following', leader: SECOND })
    t.equal(scene.state?.counts.steps, 1, 'at first only')
    await scene.service.stop()
  }
})

t.test('whom the other program follows is not believed for that', async t => {
  const scene = await following()
  scene.aheadMs = 5_000 - SHOW_START_MS
  const before = scene.clock.showTimeMs() - scene.clock.monotonicMs()
  await scene.run(leaderNamed(SECOND), 20_000)
  t.equal(scene.state?.counts.distrusted, 1)
  t.match(scene.state, { state: 'holdover', leader: null })
  t.ok(Math.abs(scene.clock.showTimeMs() - scene.clock.monotonicMs() - before) < 0.01)
  await scene.service.stop()
})

t.test('one that has ended is opened again', async t => {
  const scene = await following()
  scene.daemon.lost.emit(new DeviceError('device.absent', 'ptp4l ended: 1'))
  t.match(scene.state, { state: 'holdover', trouble: 'ptp4l ended: 1', stamps: null })
  await scene.clock.advance(2_000)
  t.equal(scene.daemon.openCount, 2)
  await scene.run(leaderNamed(FIRST), 10_000)
  t.match(scene.state, { state: 'following', trouble: null })
  await scene.service.stop()
})
