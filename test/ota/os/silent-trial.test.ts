import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { osRecords } from '../../../ota/os/os-record.js'
import {
  fail,
  nothingKnown,
  type OsSlot,
  type OsState,
  settle,
  whyNotGood,
} from '../../../ota/os/os-state.js'
import {
  countReboot,
  runningBy,
  SILENT_REBOOTS_MAX,
  SilentTrials,
  silentReboots,
  silentTrialOf,
} from '../../../ota/os/silent-trial.js'
import { sealedLine } from '../../../ota/slots/sealed-lines.js'
import { TwoRecords } from '../../../ota/slots/two-records.js'
import { BoxError } from '../../../runtime/core/errors.js'
import { smallOs } from './os-world.js'

const { image } = smallOs('2.0.0')
const good: OsSlot = { kind: 'good', image: null }
const trial: OsSlot = { kind: 'trial', image, attempts: 1, askedIn: 'boot-1', silence: null }
const stateOf = (b: OsSlot, more: Partial<OsState> = {}): OsState => ({
  ...nothingKnown,
  slots: { a: good, b },
  home: { name: 'a', startedFrom: 'root=/dev/mmcblk0p2' },
  ...more,
})
const bootId = 'boot-2'

t.test('the kernel tells home from the other system, where it says something', async t => {
  const state = stateOf(trial)
  t.equal(runningBy(state, 'root=/dev/mmcblk0p2'), 'a')
  t.equal(runningBy(state, 'root=/dev/mmcblk0p3'), 'b')
  t.equal(runningBy(state, null), null)
  t.equal(runningBy({ ...state, home: null }, 'root=/dev/mmcblk0p2'), null)
})

t.test('a trial that nobody can judge is one that runs, or that was asked for before', async t => {
  const writing: OsSlot = { kind: 'writing', image }
  const written: OsSlot = { kind: 'written', image, attempts: 0 }
  for (const slot of [trial, written, writing]) {
    t.equal(silentTrialOf(stateOf(slot), { running: 'b', bootId }), 'b', slot.kind)
    t.equal(silentTrialOf(stateOf(slot), { running: 'a', bootId }), null, `${slot.kind}, at home`)
    const unknown = silentTrialOf(stateOf(slot), { running: null, bootId })
    t.equal(unknown, slot === trial ? 'b' : null, `${slot.kind}, nobody knows where`)
  }
  for (const running of ['a', 'b', null] as const)
    t.equal(silentTrialOf(stateOf(trial), { running, bootId: 'boot-1' }), null, 'not yet gone')
  const failed = fail(stateOf(trial), 'b', 'gate')
  for (const state of [stateOf(good), stateOf({ kind: 'unknown' }), failed])
    t.equal(silentTrialOf(state, { running: 'b', bootId }), null)
})

t.test('what was left for its silence is refused at home, whatever it was then', async t => {
  const atHome = { running: 'a', usual: 'a', bootId } as const
  t.match(settle(stateOf(trial), atHome).slots.b, { kind: 'written' }, 'else it has one try more')
  for (const kind of ['trial', 'written'] as const) {
    const slot: OsSlot = { ...trial, kind }
    const left = countReboot(countReboot(stateOf(slot), 'b', '2', 'x'), 'b', '3', 'RAUC: no bus')
    t.match(left.slots.b, { kind: 'trial', silence: { reboots: 2, why: 'RAUC: no bus' } }, kind)
    const why = 'nobody could judge it in 2 boots: RAUC: no bus'
    const { slots, refused } = settle(left, atHome)
    t.match([slots.b, refused], [{ kind: 'failed', why }, [{ version: '2.0.0', why }]], kind)
    const there = { ...atHome, running: 'b' } as const
    t.match(settle(left, there).slots.b, { kind: 'trial' }, 'not while it runs')
    t.equal(whyNotGood(left, there), null, 'and it may prove itself there')
  }
  t.equal(countReboot(stateOf(good), 'b', '2', 'x').slots.b, good)
})

t.test('what was not written to its end is left, never found good, and written anew', async t => {
  const state = stateOf({ kind: 'writing', image })
  const keys = new SimulatedKeys(() => 0.5)
  const left = countReboot(state, 'b', '2', 'RAUC: x')
  t.equal(silentReboots(left.slots.b), 1)
  const read = osRecords.decode(keys, osRecords.encode(keys, { sequence: 1, state: left }))
  for (const known of [left, read?.state ?? nothingKnown]) {
    const there = { running: 'b', usual: 'a', bootId } as const
    t.match(whyNotGood(known, there), /written to its end/)
    t.same(fail(known, 'b', 'gate').refused, [], 'a cut is not its fault')
    const atHome = settle(known, { running: 'a', usual: 'a', bootId })
    t.same([atHome.slots.b, atHome.refused], [{ kind: 'unknown' }, []])
  }
})

const free = async (): Promise<string | null> => null

t.test('each reboot is counted before it, and only a person goes on after the last', async t => {
  const disk = new SimulatedSlotDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  const ports = { disk, keys: new SimulatedKeys(() => 0.5), log: new SimulatedLog() }
  const records = new TwoRecords(ports, osRecords)
  const counted: number[] = []
  let boot = 2
  const silent = new SilentTrials(
    {
      ...ports,
      boot: async () => ({ running: 'b', bootId: `boot-${boot}` }),
      reboot: async () => {
        boot++
        const known = await records.read()
        counted.push(silentReboots(known?.slots.b ?? good))
      },
    },
    records,
  )
  t.equal(await silent.look(), null)
  await t.rejects(silent.leave('x', true, free), {
    code: 'os.refused',
    message: /no system is on trial/,
  })
  await records.write(stateOf(trial))
  t.match(await silent.look(), { running: 'b', usual: 'a', isTrial: true, wayBack: 'a' })
  for (let times = 0; times < SILENT_REBOOTS_MAX; times++)
    await silent.leave('RAUC: x', false, free)
  await t.rejects(silent.leave('RAUC: x', false, free), {
    code: 'os.refused',
    message: /led back to it/,
  })
  await silent.leave('lamps flicker', true, free)
  t.same(counted, [1, 2, 3, 4, 5, 6, 7])
  const armed = async (): Promise<string | null> => 'a show is armed'
  await t.rejects(silent.leave('x', true, armed), {
    code: 'os.refused',
    message: 'a show is armed',
  })
  t.equal(counted.length, 7, 'a show that was armed while the records were written is not ended')
})

t.test('a reboot that was said to be refused, and came all the same, is counted', async t => {
  const disk = new SimulatedSlotDisk().boot({ callsUntilPowerCut: Number.POSITIVE_INFINITY })
  const ports = { disk, keys: new SimulatedKeys(() => 0.5), log: new SimulatedLog() }
  const records = new TwoRecords(ports, osRecords)
  await records.write(stateOf(trial))
  let tries = 0
  const boots = 3 * SILENT_REBOOTS_MAX
  for (let boot = 0; boot < boots; boot++) {
    const facts = { running: 'b', bootId: `boot-${2 + boot}` } as const
    const reboot = async (): Promise<void> => {
      tries++
      throw new BoxError('power.refused', 'systemctl: no answer in 10 s')
    }
    const silent = new SilentTrials({ ...ports, boot: async () => facts, reboot }, records)
    const vain = Math.min(boot, SILENT_REBOOTS_MAX)
    for (let time = 0; time < 2; time++) {
      const code = vain < SILENT_REBOOTS_MAX ? 'power.refused' : 'os.refused'
      await t.rejects(silent.leave('RAUC: x', false, free), { code })
      const seen = await silent.look()
      t.equal(seen && silentReboots(seen.slots.b), vain, 'those that were made before this boot')
    }
  }
  t.equal(tries, 2 * SILENT_REBOOTS_MAX, 'twice in each of them')
})

t.test('the records keep it, and those of older releases are read', async t => {
  const keys = new SimulatedKeys(() => 0.5)
  const state = countReboot(stateOf(trial), 'b', '2', 'RAUC: no bus')
  const record = { sequence: 7, state }
  t.same(osRecords.decode(keys, osRecords.encode(keys, record)), record)
  const { home: _, ...older } = state
  const { silence: _none, ...slot } = trial
  const bytes = sealedLine(keys, { format: 1, sequence: 7, ...older, slots: { a: good, b: slot } })
  t.same(osRecords.decode(keys, bytes), { sequence: 7, state: stateOf(trial, { home: null }) })
  for (const home of [7, { name: 'c', startedFrom: 'x' }, { name: 'a', startedFrom: 7 }])
    t.match(
      osRecords.decode(keys, sealedLine(keys, { format: 1, sequence: 7, ...older, home })),
      { state: { home: null } },
      JSON.stringify(home),
    )
  for (const silence of ['x', { reboots: -1, why: 'x' }, { reboots: 1 }, { countedIn: 'x' }]) {
    const spoilt = { ...older, slots: { a: good, b: { ...slot, silence } } }
    t.match(
      osRecords.decode(keys, sealedLine(keys, { format: 1, sequence: 7, ...spoilt })),
      { state: { slots: { b: { silence: null } } } },
      JSON.stringify(silence),
    )
  }
})
