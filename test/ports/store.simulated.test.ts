import t from 'tap'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { storeContract } from './store.contract.js'

storeContract(t, () => new SimulatedStore())
