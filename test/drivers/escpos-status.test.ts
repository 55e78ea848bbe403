import fc from 'fast-check'
import t from 'tap'
import {
  hindranceOf,
  type PrinterReply,
  type RealTimeReplies,
  ReplyReader,
  silentStatus,
  statusOfAutomatic,
  statusOfReplies,
} from '../../drivers/escpos-status.js'

const read = (bytes: readonly number[], isSerial = false): readonly PrinterReply[] =>
  new ReplyReader({ isSerial }).read(Uint8Array.from(bytes))

const ECHO = [0x37, 0x22, 0x41, 0x42, 0x43, 0x44, 0x00]
const AUTOMATIC = [0x14, 0x00, 0x0f, 0x00]

t.test('each kind of reply is told by its fixed bits', async t => {
  t.same(read(AUTOMATIC), [{ kind: 'automatic', bytes: AUTOMATIC }])
  t.same(read([0x16]), [{ kind: 'real-time', byte: 0x16 }])
  t.same(read([0x0c]), [{ kind: 'status', byte: 0x0c }])
  t.same(read(ECHO), [{ kind: 'process-id', id: 'ABCD' }])
  t.same(read([0x5f, 0x54, 0x4d, 0x32, 0x00]), [{ kind: 'block', header: 0x5f }], 'model name')
  t.same(read([0x37, 0x25, 0x00]), [{ kind: 'block', header: 0x37 }], 'buffer cleared')
})

t.test('XON and XOFF count on a serial line only, and may stand anywhere', async t => {
  const bytes = [
    0x13, 0x14, 0x13, 0x00, 0x0f, 0x11, 0x00, 0x37, 0x22, 0x13, 0x41, 0x42, 0x43, 0x44, 0,
  ]
  t.same(
    read(bytes, true).filter(({ kind }) => kind !== 'flow'),
    [
      { kind: 'automatic', bytes: AUTOMATIC },
      { kind: 'process-id', id: 'ABCD' },
    ],
  )
  t.same(read(bytes, true).filter(({ kind }) => kind === 'flow').length, 4)
  t.same(read([0x11, 0x13, 0x16]), [{ kind: 'real-time', byte: 0x16 }])
})

t.test('a real-time reply between the bytes of another does not disturb it', async t => {
  for (let at = 1; at < AUTOMATIC.length; at++) {
    const bytes = [...AUTOMATIC.slice(0, at), 0x12, ...AUTOMATIC.slice(at)]
    t.same(read(bytes), [
      { kind: 'real-time', byte: 0x12 },
      { kind: 'automatic', bytes: AUTOMATIC },
    ])
  }
  for (let at = 2; at < ECHO.length; at++) {
    const bytes = [...ECHO.slice(0, at), 0x1a, ...ECHO.slice(at)]
    t.same(read(bytes), [
      { kind: 'process-id', id: 'ABCD' },
      { kind: 'real-time', byte: 0x1a },
    ])
  }
})

t.test("another program's process id is read as it is", async t => {
  t.same(read([0x37, 0x22, 0x31, 0x32, 0x33, 0x34, 0x00]), [{ kind: 'process-id', id: '1234' }])
})

t.test('an automatic status that is broken off gives way to the next', async t => {
  t.same(read([0x14, 0x00, ...AUTOMATIC]), [{ kind: 'automatic', bytes: AUTOMATIC }])
})

t.test('a disturbed byte that looks like a header swallows nothing', async t => {
  const replies = Array.from({ length: 100 }, () => 0x16)
  t.equal(read([0x5f, ...replies]).length, 100)
})

t.test('what a former life left half is forgotten', async t => {
  const reader = new ReplyReader({ isSerial: false })
  reader.read(Uint8Array.of(0x14, 0x00))
  reader.reset()
  t.same(reader.read(Uint8Array.of(0x00)), [{ kind: 'status', byte: 0 }])
})

t.test('any bytes, split anywhere, are read the same and never throw', async t => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 300 }),
    fc.boolean(),
    (bytes, sizes, isSerial) => {
      const whole = new ReplyReader({ isSerial }).read(bytes)
      const reader = new ReplyReader({ isSerial })
      const parts: PrinterReply[] = []
      let at = 0
      for (let index = 0; at < bytes.length; index++) {
        const size = sizes[index % sizes.length] ?? 1
        parts.push(...reader.read(bytes.subarray(at, at + size)))
        at += size
      }
      return JSON.stringify(parts) === JSON.stringify(whole) && whole.length <= bytes.length
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 7 }))
})

/** The tables of DLE EOT in the specification of the TM-T88III, section 6.3, and of its successors. */
t.test('the bits of DLE EOT mean what the manual says', async t => {
  const fine: RealTimeReplies = { printer: 0x12, offline: 0x12, error: null, paper: 0x12 }
  const status = (change: Partial<RealTimeReplies>) =>
    statusOfReplies({ ...fine, ...change }, 'high')
  t.same(status({}), {
    isOnline: true,
    paper: 'enough',
    isCoverOpen: false,
    error: 'none',
    isDrawerOpen: false,
  })
  t.equal(status({ printer: 0x1a }).isOnline, false)
  t.equal(status({ printer: 0x16 }).isDrawerOpen, true)
  t.equal(statusOfReplies({ ...fine, printer: 0x16 }, 'low').isDrawerOpen, false)
  t.equal(statusOfReplies({ ...fine, printer: 0x16 }, null).isDrawerOpen, null)
  t.equal(status({ offline: 0x16 }).isCoverOpen, true)
  t.equal(status({ offline: 0x32 }).paper, 'end', 'stopped by the end of the paper')
  t.equal(status({ paper: 0x1e }).paper, 'near-end')
  t.equal(status({ paper: 0x7e }).paper, 'end')
  t.equal(status({ offline: 0x52, error: 0x1a }).error, 'cutter')
  t.equal(status({ offline: 0x52, error: 0x32 }).error, 'unrecoverable')
  t.equal(status({ offline: 0x52, error: 0x52 }).error, 'recoverable')
  t.equal(status({ offline: 0x52, error: 0x16 }).error, 'recoverable', 'by hand')
  t.equal(status({ offline: 0x52 }).error, 'recoverable', 'it does not say which')
})

t.test('what was not answered is not known', async t => {
  t.same(statusOfReplies({ printer: 0x12, offline: null, error: null, paper: null }, null), {
    ...silentStatus,
    isOnline: true,
  })
})

t.test('the bits of the automatic status mean what the manual says', async t => {
  const status = (...bytes: number[]) => statusOfAutomatic(bytes, 'high')
  t.same(status(0x10, 0, 0, 0), {
    isOnline: true,
    paper: 'enough',
    isCoverOpen: false,
    error: 'none',
    isDrawerOpen: false,
  })
  t.equal(status(0x18, 0, 0, 0).isOnline, false)
  t.equal(status(0x30, 0, 0, 0).isCoverOpen, true)
  t.equal(status(0x14, 0, 0, 0).isDrawerOpen, true)
  t.equal(status(0x10, 0x08, 0, 0).error, 'cutter')
  t.equal(status(0x10, 0x20, 0, 0).error, 'unrecoverable')
  t.equal(status(0x10, 0x40, 0, 0).error, 'recoverable')
  t.equal(status(0x10, 0x04, 0, 0).error, 'recoverable')
  t.equal(status(0x10, 0, 0x03, 0).paper, 'near-end')
  t.equal(status(0x10, 0, 0x0f, 0).paper, 'end')
})

t.test('a hindrance is named by its cause', async t => {
  const fine = statusOfAutomatic([0x10, 0, 0, 0], null)
  t.equal(hindranceOf(silentStatus), null, 'a printer that says nothing can be tried')
  t.equal(hindranceOf(fine), null)
  t.equal(hindranceOf({ ...fine, paper: 'near-end' }), null)
  t.equal(hindranceOf({ ...fine, isOnline: false }), 'offline')
  t.equal(hindranceOf({ ...fine, isOnline: false, paper: 'end' }), 'paper-end')
  t.equal(hindranceOf({ ...fine, isOnline: false, error: 'cutter' }), 'error')
  const open = { ...fine, isOnline: false, isCoverOpen: true }
  t.equal(hindranceOf({ ...open, paper: 'end', error: 'recoverable' }), 'cover-open')
})
