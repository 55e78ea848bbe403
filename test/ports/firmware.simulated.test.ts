import t from 'tap'
import { SimulatedFirmware } from '../../drivers/simulated/firmware.js'
import { SimulatedSlotDisk } from '../../drivers/simulated/slot-disk.js'
import { firmwareContract } from './firmware.contract.js'

const FOREVER = Number.POSITIVE_INFINITY
const text = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n'
const machine = () => new SimulatedSlotDisk().boot({ callsUntilPowerCut: FOREVER })
const firmwareWith = (options: {
  autoboot: Uint8Array | null
  bootable?: readonly number[]
  walks?: boolean
  keepsFlag?: boolean
}) => {
  const { autoboot, bootable = [2, 3], walks = false, keepsFlag = false } = options
  const isBootable = (one: number): boolean => bootable.includes(one)
  return new SimulatedFirmware({ autoboot, isBootable, walks, keepsFlag })
}

firmwareContract(t, (_, autoboot) => {
  const firmware = firmwareWith({ autoboot })
  firmware.boot()
  return firmware.on(machine())
})

t.test('a wish for a trial holds for one boot, and not over a power cut', async t => {
  const autoboot = new TextEncoder().encode(text)
  const firmware = firmwareWith({ autoboot })
  t.equal(firmware.boot(), 2)
  await firmware.on(machine()).rebootOnTrial()
  firmware.losePower()
  t.equal(firmware.boot(), 3)
  t.match(await firmware.on(machine()).booted(), { partition: 3, hasTrialFlag: true })
  firmware.losePower()
  t.equal(firmware.boot(), 2)
  for (const keepsFlag of [false, true]) {
    const other = firmwareWith({ autoboot, keepsFlag })
    await other.on(machine()).rebootOnTrial()
    other.isGoingDown = false
    other.losePower()
    t.equal(other.boot(), keepsFlag ? 3 : 2, 'but for the boards that keep it')
  }
})

t.test(
  'what cannot be booted is passed over where the boot loader walks, and else the box is dark',
  async t => {
    const autoboot = new TextEncoder().encode(text)
    t.equal(firmwareWith({ autoboot, bootable: [3] }).boot(), null)
    t.equal(firmwareWith({ autoboot, bootable: [3], walks: true }).boot(), 3)
    t.equal(firmwareWith({ autoboot: null, bootable: [3] }).boot(), 3)
    t.equal(firmwareWith({ autoboot, bootable: [], walks: true }).boot(), null)
    await t.rejects(firmwareWith({ autoboot }).on(machine()).booted(), { code: 'os.unsupported' })
  },
)
