import t from 'tap'
import {
  type GuardOrder,
  type GuardReport,
  LINE_BYTES_MAX,
  Lines,
  lineOf,
  readOrder,
  readReport,
} from '../../../drivers/linux/guard-protocol.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const line = {
  kind: 'line',
  chip: 'pinctrl-rp1',
  offset: 17,
  isActiveLow: true,
  isActive: false,
} as const
const file = { kind: 'file', path: '/sys/class/pwm/pwmchip0/pwm1/duty_cycle', text: '0\n' } as const
const chip = {
  kind: 'i2c',
  bus: 1,
  address: 0x40,
  writes: [{ register: 0xfd, bytes: [0x10] }],
} as const

const orders: readonly GuardOrder[] = [
  { kind: 'beat' },
  { kind: 'keep', id: 1, word: line },
  { kind: 'keep', id: 2, word: file },
  { kind: 'keep', id: 3, word: chip },
  { kind: 'forget', id: 3 },
]

const reports: readonly GuardReport[] = [
  { kind: 'ready' },
  { kind: 'silent', atMs: 12.5, silentMs: 3001.25, failures: ['i2c-1/0x40: ENXIO'] },
]

t.test('what is said is what is heard', async t => {
  for (const order of orders) t.same(readOrder(lineOf(order).trimEnd()), order)
  for (const report of reports) t.same(readReport(lineOf(report).trimEnd()), report)
})

t.test('lines are whole however they arrive, and what was cut off by a kill is none', async t => {
  const said = bytes(`${orders.map(lineOf).join('')}{"kind":"keep","id":9,"wo`)
  for (const size of [1, 2, 7, said.length]) {
    const lines = new Lines()
    const heard: string[] = []
    for (let at = 0; at < said.length; at += size)
      heard.push(...lines.take(said.subarray(at, at + size)))
    t.same(heard.map(readOrder), orders)
  }
})

t.test('a name of more than one byte a letter survives being cut in the middle', async t => {
  const word = { ...file, path: '/sys/é/ü' }
  const said = bytes(lineOf({ kind: 'keep', id: 1, word }))
  const lines = new Lines()
  const heard = [...said].flatMap(byte => lines.take(Uint8Array.of(byte)))
  t.match(heard.map(readOrder), [{ word }])
})

t.test('a line without end is a bug of the other side, not a use for memory', async t => {
  const lines = new Lines()
  lines.take(new Uint8Array(LINE_BYTES_MAX - 1))
  t.throws(() => lines.take(new Uint8Array(1)), /short/)
})

t.test('what is no order is thrown, not guessed at', async t => {
  for (const wrong of [
    '',
    'beat',
    'null',
    '[]',
    '{}',
    '{"kind":"keep","id":1}',
    '{"kind":"keep","id":-1,"word":{"kind":"file","path":"/x","text":"0"}}',
    '{"kind":"keep","id":1,"word":{"kind":"file","path":7,"text":"0"}}',
    '{"kind":"keep","id":1,"word":{"kind":"line","chip":"c","offset":1.5}}',
    '{"kind":"keep","id":1,"word":{"kind":"i2c","bus":1,"address":64,"writes":[]}}',
    '{"kind":"keep","id":1,"word":{"kind":"i2c","bus":1,"address":200,"writes":[{"register":1,"bytes":[1]}]}}',
    '{"kind":"keep","id":1,"word":{"kind":"i2c","bus":1,"address":64,"writes":[{"register":1,"bytes":[256]}]}}',
    '{"kind":"forget","id":"1"}',
  ])
    t.throws(() => readOrder(wrong), wrong)
  for (const wrong of ['{"kind":"silent"}', '{"kind":"beat"}'])
    t.throws(() => readReport(wrong), wrong)
})
