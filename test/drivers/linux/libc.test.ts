import { execFileSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import t from 'tap'
import {
  openLibc,
  PollEvent,
  pollEntries,
  pollResult,
  smbusBlock,
} from '../../../drivers/linux/libc.js'

const libc = await openLibc()

t.test('an entry of poll is a descriptor, what is waited for, and what came', async t => {
  const entries = pollEntries([5, 258])
  t.same([...entries], [5, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 1, 0, 0, 0])
  entries[14] = 0x18
  t.equal(pollResult(entries, 0), 0)
  t.equal(pollResult(entries, 1), PollEvent.error | PollEvent.hangUp)
})

t.test(
  'poll tells which descriptor has something to read, and ends when nothing comes',
  async t => {
    const wakeFd = libc.eventfd()
    const fifo = `${t.testdir({})}/quiet`
    execFileSync('mkfifo', [fifo])
    const quiet = openSync(fifo, 'r+')
    const entries = pollEntries([quiet, wakeFd])
    t.equal(libc.poll(entries, 2, 1), 0)
    writeSync(wakeFd, new Uint8Array(new BigUint64Array([1n]).buffer))
    t.equal(libc.poll(entries, 2, 10_000), 1)
    t.same([pollResult(entries, 0), pollResult(entries, 1)], [0, PollEvent.in])
    closeSync(quiet)
    closeSync(wakeFd)
  },
)

t.test('a refused call is a device error with the name that the kernel gave', async t => {
  const fd = openSync('/dev/null', 'r')
  const bytes = new Uint8Array(68)
  t.throws(() => libc.ioctl(fd, 0x8044_b401, bytes, 'asking a chip'), {
    code: 'device.io',
    message: 'asking a chip: ENOTTY',
  })
  closeSync(fd)
  t.throws(() => libc.ioctl(-1, 0x8044_b401, bytes, 'asking nobody'), { message: /EBADF/ })
})

t.test('the kernel may copy a whole SMBus block, however short the transfer is', async t => {
  for (const byteCount of [1, 4, 32]) {
    const bytes = Uint8Array.from({ length: byteCount }, (_, at) => at + 1)
    const block = smbusBlock(bytes)
    // sizeof(union i2c_smbus_data): a count, 32 bytes, and one more.
    t.equal(block.length, 34)
    t.same([...block.subarray(0, byteCount + 2)], [byteCount, ...bytes, 0])
  }
  t.throws(() => smbusBlock(new Uint8Array(33)), /assertion/)
})

t.test('a priority that does not exist is refused, and a timer slack is taken', async t => {
  t.throws(() => libc.becomeRealTime(1000), { message: /sched_setscheduler: E(INVAL|PERM)/ })
  libc.setTimerSlack(50_000)
})
