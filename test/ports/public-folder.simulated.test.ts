import t from 'tap'
import { SimulatedPublicFolder } from '../../drivers/simulated/public-folder.js'
import { publicFolderContract } from './public-folder.contract.js'

publicFolderContract(t, () => new SimulatedPublicFolder())
