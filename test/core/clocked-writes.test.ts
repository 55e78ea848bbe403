import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { ClockedWrites } from '../../runtime/core/clocked-writes.js'
import { DeviceError } from '../../runtime/core/errors.js'
import { after, monotonicMs } from '../../runtime/core/time.js'
import type { WriteOutcome } from '../../runtime/ports/host.js'

/** A chip whose transfers take a millisecond, and fail as often as said. */
function bench() {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const did: string[] = []
  const state = { failures: 0, bug: false, closed: 0 }
  const writes = new ClockedWrites(
    clock,
    async ({ register, bytes }) => {
      await new Promise<void>(resolve => clock.runAt(after(clock.monotonicMs(), 1), resolve))
      if (state.bug) throw new TypeError('oh')
      if (state.failures-- > 0) throw new DeviceError('device.io', 'a spike')
      did.push(`${register}=${bytes[0]}@${clock.monotonicMs()}`)
    },
    { source: 'program', onClose: () => void state.closed++ },
  )
  const heard: string[] = []
  const add = (register: number, byte: number, at: number, count = 1) =>
    writes.add(
      Array.from({ length: count }, (_, index) => ({
        register: register + index,
        bytes: Uint8Array.of(byte),
      })),
      monotonicMs(at),
      (outcome: WriteOutcome) => void heard.push(`${register}:${outcome.kind}`),
    )
  return { clock, writes, did, heard, state, add }
}

t.test(
  'writes happen in the order of their moments, of equal ones as they were asked for',
  async t => {
    const { clock, did, add } = bench()
    add(3, 1, 20)
    add(1, 1, 10)
    add(2, 2, 10)
    await clock.advance(30)
    t.same(did, ['1=1@11', '2=2@12', '3=1@21'])
  },
)

t.test('what comes due while another is written is written next', async t => {
  const { clock, did, add } = bench()
  add(1, 1, 10, 3)
  add(5, 1, 11)
  await clock.advance(30)
  t.same(did, ['1=1@11', '2=1@12', '3=1@13', '5=1@14'])
})

t.test('a drop stops between two writes, and what was due with them too', async t => {
  const { clock, writes, did, heard, add } = bench()
  add(1, 1, 10, 3)
  add(5, 1, 10)
  clock.runAt(monotonicMs(10.5), () => {
    writes.drop()
    add(9, 9, 10)
  })
  await clock.advance(30)
  t.same(did, ['1=1@11', '9=9@12'])
  t.same(heard, ['1:dropped', '5:dropped', '9:written'])
})

t.test(
  'two disturbed transfers are no fault, three are, and drop what was due with them',
  async t => {
    const { clock, did, heard, state, add } = bench()
    state.failures = 2
    add(1, 1, 10)
    await clock.advance(20)
    t.same(did, ['1=1@13'])
    state.failures = 3
    add(1, 2, 30)
    add(5, 2, 30)
    await clock.advance(20)
    t.same(did, ['1=1@13'])
    t.same(heard, ['1:written', '1:failed', '5:dropped'])
  },
)

t.test('closing waits for what is under way, and calls nobody back afterwards', async t => {
  const { clock, writes, did, heard, state, add } = bench()
  add(1, 1, 10, 2)
  add(5, 1, 20)
  await clock.advance(10)
  const closed = writes.close().then(() => heard.push('closed'))
  await clock.advance(30)
  await closed
  await writes.close()
  t.same(did, ['1=1@11'])
  t.same(heard, ['1:dropped', 'closed'])
  t.equal(state.closed, 1)
})

t.test('who hears of an outcome may plan the next', async t => {
  const { clock, writes, did } = bench()
  const plan = (byte: number): void =>
    void writes.add([{ register: 0, bytes: Uint8Array.of(byte) }], clock.monotonicMs(), () => {
      if (byte < 3) plan(byte + 1)
    })
  plan(1)
  await clock.advance(10)
  t.same(did, ['0=1@1', '0=2@2', '0=3@3'])
})
