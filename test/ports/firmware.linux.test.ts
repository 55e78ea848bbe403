import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxFirmware, type RebootCommands } from '../../drivers/linux/firmware.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { firmwareContract } from './firmware.contract.js'

const libc = await openLibc()
const taken: RebootCommands = { onTrial: ['true'], plain: ['true'] }

/** A folder in place of the partition, and files in place of the device tree. */
function firmwareIn(folder: string, commands: RebootCommands = taken): LinuxFirmware {
  const deviceTree = join(folder, 'bootloader')
  mkdirSync(deviceTree, { recursive: true })
  writeFileSync(join(deviceTree, 'partition'), Buffer.of(0, 0, 0, 2))
  writeFileSync(join(deviceTree, 'tryboot'), Buffer.of(0, 0, 0, 0))
  writeFileSync(join(folder, 'boot_id'), '0f0e\n')
  const bootIdFile = join(folder, 'boot_id')
  return new LinuxFirmware({ bootFolder: folder, deviceTree, bootIdFile }, libc, commands)
}

firmwareContract(t, (t: Test, autoboot) => {
  const folder = t.testdir()
  if (autoboot !== null) writeFileSync(join(folder, 'autoboot.txt'), autoboot)
  return firmwareIn(folder)
})

t.test('autoboot.txt stays the same file, and nothing is laid beside it', async t => {
  const folder = t.testdir({ 'autoboot.txt': 'boot_partition=2\n' })
  const firmware = firmwareIn(folder)
  const before = statSync(join(folder, 'autoboot.txt'))
  await firmware.overwriteAutoboot(15, Uint8Array.of(0x33))
  const after = statSync(join(folder, 'autoboot.txt'))
  t.same([after.ino, after.size], [before.ino, before.size])
  t.equal(readFileSync(join(folder, 'autoboot.txt'), 'utf8'), 'boot_partition=3\n')
  t.equal(existsSync(join(folder, 'autoboot.new')), false)
})

t.test(
  'cells of the device tree are big-endian, and a machine without them is said to be none',
  async t => {
    const folder = t.testdir()
    const firmware = firmwareIn(folder)
    writeFileSync(join(folder, 'bootloader', 'tryboot'), Buffer.of(0, 0, 0, 1))
    t.same(await firmware.booted(), { partition: 2, hasTrialFlag: true, bootId: '0f0e' })
    writeFileSync(join(folder, 'bootloader', 'partition'), Buffer.of(2, 0))
    await t.rejects(firmware.booted(), { code: 'os.unsupported', message: /2 bytes/ })
    const empty = { bootFolder: folder, deviceTree: '/none', bootIdFile: join(folder, 'boot_id') }
    const other = new LinuxFirmware(empty, libc, taken)
    await t.rejects(other.booted(), { code: 'os.unsupported', message: /does not say partition/ })
  },
)

t.test('the words of a reboot arrive as one, and a refusal is told', async t => {
  const folder = t.testdir()
  const said = join(folder, 'said')
  const onTrial = ['sh', '-c', 'printf %s "$1" >"$0"', said, '0 tryboot'] as const
  const plain = ['sh', '-c', 'echo not now >&2; exit 1'] as const
  const firmware = firmwareIn(folder, { onTrial, plain })
  await firmware.rebootOnTrial()
  t.equal(readFileSync(said, 'utf8'), '0 tryboot')
  await t.rejects(firmware.reboot(), { code: 'power.refused', message: /not now/ })
})

t.test(
  'a folder in the place of autoboot.txt, or one that is too long, is no autoboot.txt',
  async t => {
    const folder = t.testdir({ 'autoboot.txt': {} })
    await t.rejects(firmwareIn(folder).readAutoboot(), { code: 'storage.io' })
    const long = t.testdir({ long: { 'autoboot.txt': 'x'.repeat(5_000) } })
    await t.rejects(firmwareIn(join(long, 'long')).readAutoboot(), { code: 'storage.limit' })
  },
)
