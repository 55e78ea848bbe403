import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxPieceStore } from '../../drivers/linux/piece-store.js'
import { pieceStoreContract } from './piece-store.contract.js'

pieceStoreContract(t, t => new LinuxPieceStore(join(t.testdir({}), 'ota', 'objects')))

t.test('what else lies in the folder is left alone, and no link is followed', async t => {
  const folder = t.testdir({ outside: 'precious', objects: { notes: 'x' } })
  const name = 'c'.repeat(64)
  mkdirSync(join(folder, 'objects', 'd'.repeat(64)))
  symlinkSync('../outside', join(folder, 'objects', name))
  const store = new LinuxPieceStore(join(folder, 'objects'))
  await t.rejects(store.open(name), { code: 'storage.io' })
  await t.rejects(store.open('d'.repeat(64)), { code: 'storage.io' })
  t.equal(readFileSync(join(folder, 'outside'), 'utf8'), 'precious')
  writeFileSync(join(folder, 'objects', 'e'.repeat(64)), 'abc')
  const names = (await store.list()).map(({ sha256 }) => sha256)
  t.ok(names.includes('e'.repeat(64)))
  t.notOk(names.includes('d'.repeat(64)))
})

t.test('a disk without room says so', async t => {
  const store = new LinuxPieceStore('/dev/full/objects')
  await t.rejects(store.open('a'.repeat(64)), { code: 'storage.io' })
})
