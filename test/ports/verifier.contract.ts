import type { Test } from 'tap'
import type { PublicKey, Verifier } from '../../runtime/ports/verifier.js'

export interface TestSigner {
  readonly key: PublicKey
  readonly sign: (bytes: Uint8Array) => string
}

export interface VerifierBench {
  readonly verifier: Verifier
  /** Of each kind that it knows. */
  readonly signers: readonly TestSigner[]
}

const TEXT = Buffer.from('what is signed')

export function verifierContract(t: Test, makeBench: () => VerifierBench): void {
  t.test('digests are those of FIPS 180-4, and of unknown algorithms there is none', async t => {
    const { verifier } = makeBench()
    const abc = Buffer.from('abc')
    t.match(verifier.digestHex('sha256', abc), /^ba7816bf8f01cfea414140de5dae2223b00361a3/)
    t.match(verifier.digestHex('sha384', abc), /^cb00753f45a35e8bb5a03d699ac65007272c32ab/)
    t.match(verifier.digestHex('sha512', abc), /^ddaf35a193617abacc417349ae20413112e6fa4e/)
    for (const unknown of ['', 'md5', 'sha1', 'SHA256', 'constructor', 'shake256'])
      t.equal(verifier.digestHex(unknown, abc), null, unknown)
  })

  t.test('who signed is named, and nobody who did not', async t => {
    const { verifier, signers } = makeBench()
    for (const [index, { key, sign }] of signers.entries()) {
      const signature = sign(TEXT)
      const name = verifier.signer(key, TEXT, signature)
      t.type(name, 'string', key.scheme)
      t.equal(verifier.signer(key, TEXT, sign(TEXT)), name, 'the same name each time')
      t.equal(verifier.signer(key, Buffer.from('what is signee'), signature), null)
      for (const other of signers.filter((_, at) => at !== index))
        t.equal(verifier.signer(other.key, TEXT, signature), null)
    }
  })

  t.test('what is no key, no signature or no scheme is signed by nobody', async t => {
    const { verifier, signers } = makeBench()
    for (const { key, sign } of signers) {
      const signature = sign(TEXT)
      for (const wrong of notQuite(signature)) t.equal(verifier.signer(key, TEXT, wrong), null)
      for (const other of otherKeys(key)) t.equal(verifier.signer(other, TEXT, signature), null)
    }
  })
}

function notQuite(signature: string): string[] {
  const last = signature.endsWith('0') ? '1' : '0'
  const garbled = ['', '0', 'zz', ' ', 'ä', `${signature}00`, signature.slice(2)]
  return [...garbled, `${signature.slice(0, -1)}${last}`, 'ab'.repeat(5000)]
}

function otherKeys(key: PublicKey): PublicKey[] {
  const texts = ['', 'zz', 'ab', '-----BEGIN PUBLIC KEY-----', 'a'.repeat(100_000), '\0']
  const words = ['', 'none', 'rsassa-pkcs1v15-sha256', '__proto__']
  return [
    ...texts.map(text => ({ ...key, text })),
    ...words.map(scheme => ({ ...key, scheme })),
    ...words.map(keyType => ({ ...key, keyType })),
  ]
}
