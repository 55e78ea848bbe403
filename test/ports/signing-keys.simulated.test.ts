import t from 'tap'
import { SimulatedSigningKeys } from '../../drivers/simulated/signing-keys.js'
import { randomFrom } from '../../runtime/core/random.js'
import { signingKeysContract } from './signing-keys.contract.js'

signingKeysContract(t, () => new SimulatedSigningKeys(randomFrom(1)))
