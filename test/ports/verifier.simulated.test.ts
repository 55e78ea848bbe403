import t from 'tap'
import { SimulatedVerifier, simulatedSignature } from '../../drivers/simulated/verifier.js'
import { type TestSigner, verifierContract } from './verifier.contract.js'

const signer = (text: string): TestSigner => {
  const key = { keyType: 'ed25519', scheme: 'ed25519', text }
  return { key, sign: bytes => simulatedSignature(key, bytes) }
}

verifierContract(t, () => ({
  verifier: new SimulatedVerifier(),
  signers: [signer('one'), signer('other')],
}))
