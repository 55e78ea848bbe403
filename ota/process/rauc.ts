/** The two operating systems of a machine whose image has RAUC. */
import { join } from 'node:path'
import type { Libc } from '../../drivers/linux/libc.js'
import { LinuxPieceStore } from '../../drivers/linux/piece-store.js'
import { LinuxRauc, type RaucCommands } from '../../drivers/linux/rauc.js'
import { type RaucPorts, RaucSystem } from '../os/rauc-system.js'

export interface RaucParts extends Omit<RaucPorts, 'rauc' | 'bundles' | 'pathOf'> {
  readonly calls: Pick<Libc, 'dropCache'>
  /** Of the updater; bundles lie below it. */
  readonly home: string
}

/** Asks nothing yet: whether there is a RAUC, and two systems, is told by the first `status`. */
export function openRauc({ calls, home, ...ports }: RaucParts, commands: RaucCommands): RaucSystem {
  const folder = join(home, 'ota', 'bundles')
  return new RaucSystem({
    ...ports,
    rauc: new LinuxRauc(commands, calls),
    bundles: new LinuxPieceStore(folder),
    pathOf: sha256 => join(folder, sha256),
  })
}
