import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { WORDS_MAX } from '../../../drivers/linux/last-words.js'
import { Unguarded } from '../../../drivers/linux/unguarded.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { compileInto } from '../../fixtures/compiled.js'

const wordFor = (path: string) => ({ kind: 'file', path, text: '0' }) as const

t.test('files are made safe, all that are kept and no others', async t => {
  const folder = t.testdir({ a: '1', b: '1', c: '1' })
  const log = new SimulatedLog()
  const unguarded = new Unguarded(log)
  await unguarded.keep(wordFor(join(folder, 'a')))
  await unguarded.keep(wordFor(join(folder, 'gone')))
  const forget = await unguarded.keep(wordFor(join(folder, 'b')))
  await unguarded.keep(wordFor(join(folder, 'c')))
  forget()
  unguarded.safeNow()
  const states = ['a', 'b', 'c'].map(name => readFileSync(join(folder, name), 'latin1'))
  t.same(states, ['0', '1', '0'])
  t.match(log.lines, [{ event: 'guard.not-safe', facts: { error: /gone/ } }])
})

t.test('lines and chips are taken note of by others, or by nobody', async t => {
  const log = new SimulatedLog()
  const unguarded = new Unguarded(log)
  const line = { chip: 'chip', offset: 1, isActiveLow: false, isActive: false }
  await unguarded.keep({ kind: 'line', ...line })
  const writes = [{ register: 0xfd, bytes: [0x10] }]
  await unguarded.keep({ kind: 'i2c', bus: 9999, address: 0x40, writes })
  unguarded.safeNow()
  t.same(log.lines, [])
})

t.test('no more is kept than a guard would keep', async t => {
  const unguarded = new Unguarded(new SimulatedLog())
  for (let index = 0; index < WORDS_MAX; index++) await unguarded.keep(wordFor(`${index}`))
  await t.rejects(unguarded.keep(wordFor('more')), { code: 'device.limit' })
})

t.test('a process without a guard', async t => {
  const folder = t.testdir()
  compileInto(folder, ['test/fixtures/unguarded-lamp'])
  const script = join(folder, 'test/fixtures/unguarded-lamp.js')
  for (const [ending, status, state] of [
    ['exit', 3, '0'],
    ['throw', 1, '0'],
    ['stop', 0, '1'],
  ] as const) {
    const lamp = join(folder, ending)
    writeFileSync(lamp, '0')
    const options = { timeout: 20_000 }
    const child = spawnSync('env', ['-i', process.execPath, script, lamp, ending], options)
    t.equal(child.status, status, `it ends by ${ending}`)
    t.equal(readFileSync(lamp, 'latin1'), state, `after ${ending}`)
  }
})
