/** When the slots are read, mended and copied: never while that disturbs anybody. */
import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Audit, type Surroundings } from '../../../ota/process/audit.js'
import type { MendWishes } from '../../../ota/slots/mending.js'
import type { CareWishes, MayReplace } from '../../../ota/slots/slot-care.js'
import type { FullCheck } from '../../../ota/slots/slot-check.js'
import type { SlotName } from '../../../ota/slots/slot-state.js'
import { BoxError } from '../../../runtime/core/errors.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MEGABYTES = 100

async function started() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const log = new SimulatedLog()
  const box = {
    whyNot: null as string | null,
    isWanted: true,
    /** A person went back from what lies there. */
    isGivenBack: false,
    isUnreadable: false,
    freeBytes: 1e12,
    failure: null as BoxError | null,
  }
  const done: string[] = []
  const write = async (what: string, { pause, makeSure }: MendWishes): Promise<void> => {
    await makeSure(MEGABYTES * 1e6)
    if (box.failure !== null) throw box.failure
    for (let megabyte = 0; megabyte < MEGABYTES; megabyte++) await pause()
    done.push(what)
  }
  const care = {
    audit: async (slot: SlotName, pause: FullCheck['pause'], wishes: MendWishes | null) => {
      await pause({ fileCount: 1, fileCountMax: 1 })
      done.push(`${wishes === null ? 'read' : 'audit'} ${slot}`)
      return null
    },
    isCopyWanted: async (mayReplace: MayReplace) => {
      if (box.isUnreadable) throw new BoxError('storage.rotten', 'the records are gone')
      return box.isWanted && (!box.isGivenBack || mayReplace('given-back'))
    },
    copy: async (wishes: CareWishes): Promise<SlotName> => {
      await write('copy', wishes)
      box.isWanted = false
      return 'b'
    },
  }
  const around: Surroundings = {
    whyNotNow: async () => box.whyNot,
    isNobodys: () => true,
    freeBytes: async () => box.freeBytes,
  }
  const audit = new Audit(clock, log, { care, around })
  await audit.start()
  return { clock, log, box, done, audit }
}

t.test('a quiet box gets a copy soon after its start, and is audited a little later', async t => {
  const { clock, done, audit } = await started()
  await clock.advance(2 * MINUTE - 1)
  t.same(done, [], 'the start needs the card for itself')
  await clock.advance(2 * MINUTE)
  t.same(done, ['copy'])
  await clock.advance(8 * MINUTE)
  t.same(done.slice(1), ['audit a', 'audit b'])
  await clock.advance(6 * HOUR)
  t.same(done.slice(3), ['audit a', 'audit b'])
  await audit.stop()
})

t.test('a release that a person went back from is left to that person for an hour', async t => {
  const { clock, box, done, audit } = await started()
  box.isGivenBack = true
  await clock.advance(HOUR)
  t.notOk(done.includes('copy'))
  await clock.advance(2 * MINUTE)
  t.ok(done.includes('copy'))
  await audit.stop()
})

t.test('what is not quiet is not written, and read only when it was not for long', async t => {
  const { clock, box, done, audit } = await started()
  box.whyNot = 'a show is armed'
  await clock.advance(6 * HOUR)
  t.same(done, [])
  await clock.advance(HOUR)
  t.same(done, ['read a', 'read b'])
  box.whyNot = null
  await clock.advance(2 * MINUTE)
  t.same(done.slice(2), ['copy'])
  await audit.stop()
})

t.test('a show that is armed ends what is being written, and it goes on afterwards', async t => {
  const { clock, box, done, audit } = await started()
  await clock.advance(2 * MINUTE + 2_000)
  box.whyNot = 'a show is armed'
  await clock.advance(HOUR)
  t.same(done, [])
  box.whyNot = null
  await clock.advance(2 * MINUTE)
  t.same(done, ['audit a', 'audit b', 'copy'])
  await audit.stop()
})

t.test('a copy that fails is told, and tried again later and later', async t => {
  const { clock, log, box, done, audit } = await started()
  const failures = (): number => log.events().filter(event => event === 'ota.copy-failed').length
  box.failure = new BoxError('storage.io', 'the card does not keep it')
  await clock.advance(20 * MINUTE)
  t.equal(failures(), 1)
  await clock.advance(15 * MINUTE)
  t.equal(failures(), 2)
  await clock.advance(24 * HOUR)
  t.ok(failures() >= 6 && failures() <= 8, `${failures()} in a day`)
  box.failure = null
  await clock.advance(6 * HOUR + MINUTE)
  t.ok(done.includes('copy'))
  await audit.stop()
})

t.test('a copy that is lost again and again does not wear out the card', async t => {
  const { clock, box, done, audit } = await started()
  const copies = (): number => done.filter(what => what === 'copy').length
  const losing = async (hours: number): Promise<void> => {
    for (let minute = 0; minute < hours * 60; minute += 10) {
      await clock.advance(10 * MINUTE)
      box.isWanted = true
    }
  }
  await losing(24)
  t.ok(copies() >= 6 && copies() <= 8, `${copies()} in a day`)
  box.isWanted = false
  await clock.advance(13 * HOUR)
  const before = copies()
  await losing(1)
  t.equal(copies(), before + 2, 'what was long ago does not count')
  await audit.stop()
})

t.test('records that cannot be read are told as seldom as a copy that fails', async t => {
  const { clock, log, box, audit } = await started()
  box.isUnreadable = true
  await clock.advance(24 * HOUR)
  t.ok(log.events().filter(event => event === 'ota.copy-failed').length <= 8)
  await audit.stop()
})

t.test('the room that the box needs for itself is left', async t => {
  const { clock, log, box, done, audit } = await started()
  box.freeBytes = MEGABYTES * 1e6 + 1e6
  await clock.advance(20 * MINUTE)
  t.notOk(done.includes('copy'))
  const told = log.lines.find(({ event }) => event === 'ota.copy-failed')
  t.match(told?.facts, { problem: /needs 168 MB, and 101 are free/ })
  await audit.stop()
})

t.test('an updater that ends does not wait for a copy', async t => {
  const { clock, done, audit } = await started()
  await clock.advance(2 * MINUTE + 1_000)
  const stopped = audit.stop()
  await clock.advance(1_000)
  await stopped
  await clock.advance(HOUR)
  t.same(done, [])
})
