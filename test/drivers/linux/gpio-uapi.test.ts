import t from 'tap'
import {
  EVENT_BYTES,
  isValueActive,
  lineRequest,
  lineValues,
  readChipLabel,
  readEvents,
  requestedFd,
} from '../../../drivers/linux/gpio-uapi.js'

// Offsets and sizes as the C compiler gives them for <linux/gpio.h>: offsetof(struct gpio_v2_line_request, ...).
const Offset = {
  consumer: 256,
  flags: 288,
  attributeCount: 296,
  attributeId: 320,
  attributeValue: 328,
  attributeMask: 336,
  lineCount: 560,
  eventBufferSize: 564,
  fd: 588,
} as const
const Flag = { activeLow: 2, input: 4, output: 8, rising: 16, falling: 32 } as const
const BiasFlag = { 'pull-up': 256, 'pull-down': 512, none: 1024, 'as-is': 0 } as const

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset)

t.test('an output is requested with its first value, by the kernel header', async t => {
  for (const isActive of [true, false]) {
    const bytes = lineRequest({
      offset: 17,
      isActiveLow: false,
      bias: 'as-is',
      direction: 'out',
      isActive,
    })
    const view = viewOf(bytes)
    t.equal(bytes.length, 592)
    t.equal(view.getUint32(0, true), 17)
    t.equal(view.getUint32(Offset.lineCount, true), 1)
    t.equal(view.getBigUint64(Offset.flags, true), BigInt(Flag.output))
    t.equal(view.getUint32(Offset.attributeCount, true), 1)
    t.equal(view.getUint32(Offset.attributeId, true), 2)
    t.equal(view.getBigUint64(Offset.attributeValue, true), isActive ? 1n : 0n)
    t.equal(view.getBigUint64(Offset.attributeMask, true), 1n)
    const consumer = bytes.subarray(Offset.consumer, Offset.consumer + 9)
    t.equal(new TextDecoder().decode(consumer), 'roadcase\0')
  }
})

t.test(
  'an input is requested with both edges, its pull resistor and its debounce time',
  async t => {
    for (const bias of ['pull-up', 'pull-down', 'none', 'as-is'] as const) {
      const bytes = lineRequest({
        offset: 53,
        isActiveLow: true,
        bias,
        direction: 'in',
        debounceMicroseconds: 12_500,
      })
      const view = viewOf(bytes)
      const flags = Flag.activeLow | Flag.input | Flag.rising | Flag.falling | BiasFlag[bias]
      t.equal(view.getBigUint64(Offset.flags, true), BigInt(flags), bias)
      t.equal(view.getUint32(Offset.attributeId, true), 3)
      t.equal(view.getUint32(Offset.attributeValue, true), 12_500)
      t.equal(view.getUint32(Offset.eventBufferSize, true), 64)
    }
  },
)

t.test('an input without debouncing has no attribute', async t => {
  const bytes = lineRequest({
    offset: 0,
    isActiveLow: false,
    bias: 'as-is',
    direction: 'in',
    debounceMicroseconds: 0,
  })
  t.equal(viewOf(bytes).getUint32(Offset.attributeCount, true), 0)
})

t.test('the descriptor of a line is where the kernel leaves it', async t => {
  const bytes = new Uint8Array(592)
  viewOf(bytes).setInt32(Offset.fd, 23, true)
  t.equal(requestedFd(bytes), 23)
})

t.test('a chip tells its label and how many lines it has', async t => {
  const bytes = new Uint8Array(68)
  new TextEncoder().encodeInto('gpiochip0', bytes)
  new TextEncoder().encodeInto('pinctrl-rp1', bytes.subarray(32))
  viewOf(bytes).setUint32(64, 54, true)
  t.same(readChipLabel(bytes), { label: 'pinctrl-rp1', lineCount: 54 })
})

t.test('a value is one bit under a mask of one line', async t => {
  t.same([...lineValues(true)], [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  t.same([...lineValues(false)], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
  t.equal(isValueActive(lineValues(true)), true)
  t.equal(isValueActive(lineValues(false)), false)
})

t.test('events are read whole, with their moment in milliseconds', async t => {
  const bytes = new Uint8Array(2 * EVENT_BYTES)
  const view = viewOf(bytes)
  view.setBigUint64(0, 1_234_567_890n, true)
  view.setUint32(8, 1, true)
  view.setUint32(20, 7, true)
  view.setBigUint64(48, 2_000_000_500n, true)
  view.setUint32(56, 2, true)
  view.setUint32(68, 8, true)
  t.equal(EVENT_BYTES, 48)
  t.same(readEvents(bytes), [
    { isActive: true, at: 1234.56789, seqno: 7 },
    { isActive: false, at: 2000.0005, seqno: 8 },
  ])
  t.same(readEvents(bytes.subarray(0, 47)), [], 'half an event is none')
})
