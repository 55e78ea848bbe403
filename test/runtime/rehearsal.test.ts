import t from 'tap'
import { simulated as board } from '../../boards/simulated.js'
import { Aplay } from '../../drivers/linux/aplay.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { linuxPictures } from '../../drivers/linux/pictures.js'
import { LinuxPtpLink } from '../../drivers/linux/ptp-link.js'
import { LinuxTimecodeLinks } from '../../drivers/linux/timecode-links.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedDateKeepers } from '../../drivers/simulated/date-keepers.js'
import { SimulatedFiles } from '../../drivers/simulated/files.js'
import { SimulatedHost } from '../../drivers/simulated/host.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { SimulatedPowerSwitch } from '../../drivers/simulated/power-switch.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { SimulatedVitals } from '../../drivers/simulated/vitals.js'
import type { Machine } from '../../runtime/machine.js'
import type { Cancel, MonotonicMs } from '../../runtime/ports/clock.js'
import { Rehearsal } from '../../runtime/rehearsal.js'
import { noTimeParts } from '../../runtime/time-parts.js'

/** On the real clock: how long things take is what is rehearsed. */
function bench(changes: Partial<Machine> = {}) {
  const clock = new LinuxClock(ownAnchor())
  const log = new SimulatedLog()
  const touched: string[] = []
  const machine: Machine = {
    board,
    clock,
    timeline: told('timeline', clock, touched),
    timecodeLinks: told('timecode', new LinuxTimecodeLinks(clock), touched),
    ptpLink: told('network', new LinuxPtpLink(clock, 'none'), touched),
    sound: told('sound', new Aplay(clock, 'none'), touched),
    date: told('date', noTimeParts(clock, new SimulatedDateKeepers()).date, touched),
    venue: null,
    houseLink: null,
    log,
    store: told('store', new SimulatedStore(), touched),
    cardTrouble: null,
    files: told('files', new SimulatedFiles(), touched),
    network: told('network', new SimulatedNetwork(clock), touched),
    vitals: told('vitals', new SimulatedVitals(), touched),
    host: told('host', new SimulatedHost(board, clock), touched),
    pictures: told('pictures', linuxPictures, touched),
    powerSwitch: told('power switch', new SimulatedPowerSwitch(log), touched),
    keys: new LinuxKeys(),
    bootId: 'boot',
    simulated: null,
    onOutputsLost: () => void touched.push('outputs'),
    ...changes,
  }
  return { log, touched, rehearsal: new Rehearsal(machine) }
}

/** The same part, which writes down every call. */
function told<T extends object>(name: string, part: T, touched: string[]): T {
  return new Proxy(part, {
    get: (target, key): unknown => {
      touched.push(`${name}.${String(key)}`)
      return Reflect.get(target, key, target)
    },
  })
}

t.test('the rehearsal is played to its end, and touches nothing of the machine', async t => {
  const { log, touched, rehearsal } = bench()
  await rehearsal.start()
  await rehearsal.stop()
  t.same(log.events(), ['rehearsal.done'])
  t.same(touched, [])
})

t.test('a rehearsal that fails is a line in the log, and the box goes on', async t => {
  const keys = {
    randomBytes: (count: number) => new Uint8Array(count),
    sha256Hex: () => {
      throw new Error('no digests here')
    },
    hmacSha256: () => new Uint8Array(32),
  }
  const { log, rehearsal } = bench({ keys })
  await rehearsal.start()
  t.same(log.events('warn'), ['rehearsal.failed'])
})

/** Until told to wake, it calls nobody back but those who can wait for seconds: who waits for less hangs. */
class SleepyClock extends SimulatedClock {
  readonly #held: (() => void)[] = []

  override runAt(at: MonotonicMs, task: () => void): Cancel {
    if (at - this.monotonicMs() >= 9_000) return super.runAt(at, task)
    let isWanted = true
    this.#held.push(() => isWanted && task())
    return () => {
      isWanted = false
    }
  }

  wake(): void {
    for (const task of this.#held.splice(0)) task()
  }
}

t.test('a rehearsal that does not end keeps nobody from the show', async t => {
  const clock = new SleepyClock({ showStartMs: 0, driftPpm: 0 })
  const { log, rehearsal } = bench({ clock })
  const started = rehearsal.start()
  await clock.advance(10_000)
  await started
  t.match(log.lines, [
    { event: 'rehearsal.failed', facts: { error: /the rehearsal did not end within 10000 ms/ } },
  ])
  // It goes on beside the show, and ends.
  for (let turn = 0; turn < 1_000; turn++) {
    clock.wake()
    await clock.advance(0)
  }
})
