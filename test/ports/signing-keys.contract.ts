/** What every keeper of private keys promises. */
import { createPublicKey, verify } from 'node:crypto'
import type { Test } from 'tap'
import type { SigningKeys } from '../../runtime/ports/signing-keys.js'

export function signingKeysContract(t: Test, makeKeys: (t: Test) => SigningKeys): void {
  t.test('a key that was made is found and signs, and OpenSSL agrees', async t => {
    const keys = makeKeys(t)
    const key = await keys.create('anna.key', 'correct horse battery')
    const place = { in: 'file', file: 'anna.key' } as const
    t.same(await keys.find(place, null), key)
    const bytes = Buffer.from('what is signed')
    const signature = await keys.sign(place, key, bytes)
    const spki = Buffer.from(`302a300506032b6570032100${key.public}`, 'hex')
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    t.ok(verify(null, bytes, publicKey, signature))
    t.notOk(verify(null, Buffer.from('something else'), publicKey, signature))
  })

  t.test('a file is not written over', async t => {
    const keys = makeKeys(t)
    const key = await keys.create('anna.key', null)
    await t.rejects(keys.create('anna.key', null), { code: 'key.denied' })
    t.same(await keys.find({ in: 'file', file: 'anna.key' }, null), key)
  })

  t.test('a key that is not there, or is another one, signs nothing', async t => {
    const keys = makeKeys(t)
    const anna = await keys.create('anna.key', null)
    await keys.create('bert.key', null)
    const sign = (file: string): Promise<Uint8Array> =>
      keys.sign({ in: 'file', file }, anna, Buffer.of(1))
    await t.rejects(sign('carla.key'), { code: 'key.absent' })
    await t.rejects(sign('bert.key'), { code: 'key.invalid' })
    await t.rejects(keys.find({ in: 'elsewhere' }, null), { code: 'key.absent' })
  })
}
