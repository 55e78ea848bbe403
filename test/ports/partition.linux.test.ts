import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxPartition } from '../../drivers/linux/partition.js'
import { partitionContract } from './partition.contract.js'

const libc = await openLibc()

/** Files in place of block devices, which `test/lab/os.lab.ts` has. */
partitionContract(t, (t, byteCount) => {
  const path = join(t.testdir(), 'partition')
  writeFileSync(path, '')
  truncateSync(path, byteCount)
  return new LinuxPartition(path, libc)
})

t.test('a partition that is not there is said to be none', async t => {
  const partition = new LinuxPartition(join(t.testdir(), 'none'), libc)
  await t.rejects(partition.byteCount(), { code: 'storage.io' })
  await t.rejects(partition.write(0, new Uint8Array(1)), { code: 'storage.io', message: /ENOENT/ })
})
