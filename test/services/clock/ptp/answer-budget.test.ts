/** A master answers every clock of a large venue, and no flood. */
import t from 'tap'
import { PortRig, timed } from './port-rig.js'

const addressOf = (box: number): string => `10.1.${box >> 8}.${box & 0xff}`
const identityOf = (box: number): string => (0xa00000000000 + box).toString(16).padStart(16, '0')

function master(): PortRig {
  const rig = new PortRig()
  rig.pass(5000)
  t.equal(rig.clock.state, 'master')
  return rig
}

const request = (rig: PortRig, box: number, sequenceId: number): void =>
  rig.hear(timed('delay-request', identityOf(box), sequenceId & 0xffff, 0n), {
    from: addressOf(box),
  })

t.test('five hundred boxes that ask eight times a second are all answered', async t => {
  const rig = master()
  for (let turn = 0; turn < 3 * 4000; turn++) {
    rig.nowMs = 5000 + turn / 4
    request(rig, turn % 500, turn)
  }
  t.equal(rig.sentOf('delay-response').length, 12_000)
  t.equal(rig.clock.counts.unanswered, 0)
})

t.test('a flood from anywhere costs no more than those would, and is told of', async t => {
  const rig = master()
  for (let turn = 0; turn < 100_000; turn++) {
    rig.nowMs = 5000 + turn / 50
    request(rig, turn % 60_000, turn)
  }
  const answered = rig.sentOf('delay-response').length
  t.ok(answered >= 9_900 && answered <= 10_500, `${answered} in two seconds`)
  t.equal(rig.clock.counts.unanswered, 100_000 - answered)
})

t.test('one that asks without an end leaves the others theirs', async t => {
  const rig = master()
  for (let turn = 0; turn < 20_000; turn++) {
    rig.nowMs = 5000 + turn / 20
    request(rig, 999, turn)
    if (turn % 2500 === 0) request(rig, 1, turn)
  }
  const to = (box: number): number =>
    rig.sentOf('delay-response').filter(({ requester }) => requester.clock === identityOf(box))
      .length
  t.equal(to(1), 8)
  t.ok(to(999) <= 352, `${to(999)} in a second`)
})
