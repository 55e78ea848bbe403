import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import t from 'tap'
import { LinuxVerifier } from '../../drivers/linux/verifier.js'
import { type TestSigner, verifierContract } from './verifier.contract.js'

const verifier = new LinuxVerifier()
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()
const endOf = (key: KeyObject, byteCount: number): string =>
  key.export({ type: 'spki', format: 'der' }).subarray(-byteCount).toString('hex')

const edwards = generateKeyPairSync('ed25519')
const curve = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const TEXT = Buffer.from('what is signed')

const pss = (key: KeyObject, saltLength: number, bytes: Uint8Array): string =>
  sign('sha256', bytes, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  }).toString('hex')

const signers: readonly TestSigner[] = [
  {
    key: { keyType: 'ed25519', scheme: 'ed25519', text: endOf(edwards.publicKey, 32) },
    sign: bytes => sign(null, bytes, edwards.privateKey).toString('hex'),
  },
  {
    key: { keyType: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', text: pemOf(curve.publicKey) },
    sign: bytes => sign('sha256', bytes, curve.privateKey).toString('hex'),
  },
  {
    key: { keyType: 'rsa', scheme: 'rsassa-pss-sha256', text: pemOf(rsa.publicKey) },
    sign: bytes => pss(rsa.privateKey, 32, bytes),
  },
]

verifierContract(t, () => ({ verifier, signers }))

t.test('Ed25519 is that of RFC 8032', async t => {
  // Section 7.1, test 2.
  const text = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
  const signature =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  const key = { keyType: 'ed25519', scheme: 'ed25519', text }
  t.type(verifier.signer(key, Uint8Array.of(0x72), signature), 'string')
})

t.test('a key has one name, however it is written down', async t => {
  for (const [signer, others] of [
    [signers[0], [endOf(edwards.publicKey, 32).toUpperCase(), pemOf(edwards.publicKey)]],
    [signers[1], [endOf(curve.publicKey, 65), pemOf(curve.publicKey).replaceAll('\n', '\r\n')]],
  ] as const) {
    if (signer === undefined) throw new Error('a signer')
    const signature = signer.sign(TEXT)
    const name = verifier.signer(signer.key, TEXT, signature)
    for (const text of others)
      t.equal(verifier.signer({ ...signer.key, text }, TEXT, signature), name)
  }
})

t.test('a key of another kind or strength is no key', async t => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weak = { keyType: 'rsa', scheme: 'rsassa-pss-sha256', text: pemOf(short.publicKey) }
  t.equal(verifier.signer(weak, TEXT, pss(short.privateKey, 32, TEXT)), null)
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const scheme = 'ecdsa-sha2-nistp256'
  const other = { keyType: 'ecdsa', scheme, text: pemOf(koblitz.publicKey) }
  t.equal(
    verifier.signer(other, TEXT, sign('sha256', TEXT, koblitz.privateKey).toString('hex')),
    null,
  )
  const secret = edwards.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const leaked = { keyType: 'ed25519', scheme: 'ed25519', text: secret }
  t.equal(verifier.signer(leaked, TEXT, signers[0]?.sign(TEXT) ?? ''), null)
})

t.test('RSA takes salts of any length, and no older padding', async t => {
  const key = signers[2]?.key
  if (key === undefined) throw new Error('a signer')
  for (const saltLength of [0, 20, 222])
    t.type(verifier.signer(key, TEXT, pss(rsa.privateKey, saltLength, TEXT)), 'string')
  t.equal(verifier.signer(key, TEXT, sign('sha256', TEXT, rsa.privateKey).toString('hex')), null)
})
