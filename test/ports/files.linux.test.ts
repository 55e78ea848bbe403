import { join } from 'node:path'
import t from 'tap'
import { LinuxFiles } from '../../drivers/linux/files.js'
import { filesContract } from './files.contract.js'

filesContract(t, t => new LinuxFiles(join(t.testdir(), 'state')))
