/**
 * Whether a network interface has a clock of its own for the stamps of packets (PHC), as sysfs tells: below its device where
 * the controller has it (Pi 5), below its PHY where that has (CM4).
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

const PLACES = ['device/ptp', 'phydev/ptp'] as const

/** @returns `/dev/ptp0` and the like; null where there is none */
export async function phcOf(
  interfaceName: string,
  root = '/sys/class/net',
): Promise<string | null> {
  for (const place of PLACES) {
    const names = await readdir(join(root, interfaceName, place)).catch(() => [])
    const name = names.find(one => /^ptp\d+$/.test(one))
    if (name !== undefined) return `/dev/${name}`
  }
  return null
}
