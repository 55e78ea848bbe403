import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  carryOut,
  carryOutAll,
  carryOutAsOwner,
  lockPlace,
  writeRegisters,
} from '../../../drivers/linux/last-act.js'
import type { LastWord } from '../../../drivers/linux/last-words.js'
import { type Libc, openLibc } from '../../../drivers/linux/libc.js'
import { DeviceError } from '../../../runtime/core/errors.js'

const libc = await openLibc()
const wordFor = (path: string) => ({ kind: 'file', path, text: '0' }) as const

t.test('a file gets its safe state', async t => {
  const folder = t.testdir({ value: '1' })
  t.equal(carryOut(libc, wordFor(join(folder, 'value'))), true)
  t.equal(readFileSync(join(folder, 'value'), 'latin1'), '0')
})

t.test('a file that somebody has taken is left alone, and its owner may still write', async t => {
  const path = join(t.testdir({ value: '1' }), 'value')
  const fd = lockPlace(libc, wordFor(path))
  t.ok(fd !== null)
  t.equal(carryOut(libc, wordFor(path)), false)
  t.equal(lockPlace(libc, wordFor(path)), null)
  t.equal(readFileSync(path, 'latin1'), '1')
  carryOutAsOwner(libc, wordFor(path))
  t.equal(readFileSync(path, 'latin1'), '0')
  closeSync(fd ?? -1)
  writeFileSync(path, '1')
  t.equal(carryOut(libc, wordFor(path)), true, 'until he lets go of it')
})

t.test('reading and closing the same file elsewhere does not free it', async t => {
  const path = join(t.testdir({ value: '1' }), 'value')
  const fd = lockPlace(libc, wordFor(path)) ?? -1
  closeSync(openSync(path, 'r+'))
  t.equal(lockPlace(libc, wordFor(path)), null)
  closeSync(fd)
})

t.test('what is not there is a device error with the name of the place', async t => {
  const path = join(t.testdir({}), 'gone')
  t.throws(() => carryOut(libc, wordFor(path)), { code: 'device.absent', message: /gone/ })
  const writes = [{ register: 0, bytes: [0] }]
  const chip = { kind: 'i2c', bus: 9999, address: 0x40, writes } as const
  t.throws(() => carryOut(libc, chip), { code: 'device.absent', message: /i2c-9999/ })
})

const place = (path: string): LastWord => ({ kind: 'file', path, text: '' })
const never = (): boolean => false

t.test('one that fails does not keep the others from being made safe', async t => {
  const tried: string[] = []
  const outcome = carryOutAll(
    ['a', 'b', 'c'].map(place),
    word => {
      const path = word.kind === 'file' ? word.path : ''
      tried.push(path)
      if (path === 'b') throw new DeviceError('device.io', 'EIO')
      return true
    },
    never,
  )
  t.same(tried, ['a', 'b', 'c'])
  t.same(outcome, { done: 2, left: 0, failures: ['b: EIO'] })
})

t.test('one that is taken is tried again as long as there is time, the others once', async t => {
  const tries = new Map<LastWord, number>()
  const words = ['freed', 'taken', 'free'].map(place)
  let waits = 0
  const outcome = carryOutAll(
    words,
    word => {
      const count = (tries.get(word) ?? 0) + 1
      tries.set(word, count)
      return word === words[2] || (word === words[0] && count === 3)
    },
    () => ++waits <= 5,
  )
  t.same([...tries.values()], [3, 6, 1])
  t.same(outcome, { done: 2, left: 1, failures: [] })
})

t.test('a transfer that is lost is tried again, twice', async t => {
  const chip = { kind: 'i2c', bus: 0, address: 0x40, writes: [] } as const
  const writes = [
    { register: 0xfd, bytes: [0x10] },
    { register: 0, bytes: [1, 2] },
  ]
  const sent: string[] = []
  let losses = 2
  const noisy: Libc = {
    ...libc,
    writeI2cBlock: (_, address, register, bytes) => {
      sent.push(`${address.toString(16)}:${register.toString(16)}=${bytes.join()}`)
      if (losses-- > 0) throw new DeviceError('device.io', 'EREMOTEIO')
    },
  }
  const bus = openSync('/dev/null', 'r+')
  t.teardown(() => closeSync(bus))
  // The device file of bus 0 need not be there: what is tried here is what happens once it is open.
  writeRegisters(noisy, bus, { ...chip, writes })
  t.same(sent, ['40:fd=16', '40:fd=16', '40:fd=16', '40:0=1,2'])
  losses = 3
  t.throws(() => writeRegisters(noisy, bus, { ...chip, writes }), { message: 'EREMOTEIO' })
})
