import t from 'tap'
import { SimulatedFiles } from '../../drivers/simulated/files.js'
import { filesContract } from './files.contract.js'

filesContract(t, () => new SimulatedFiles())
