import t from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { keysContract } from './keys.contract.js'

keysContract(t, () => new LinuxKeys())
