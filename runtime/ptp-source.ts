/** Who speaks PTP for the box: a port of its own, or ptp4l; and why, for the log. */
import { join } from 'node:path'
import { phcOf } from '../drivers/linux/interface-stamps.js'
import { LinuxPtpLink } from '../drivers/linux/ptp-link.js'
import { Ptp4l } from '../drivers/linux/ptp4l.js'
import type { BoxConfig } from './config.js'
import type { Clock } from './ports/clock.js'
import type { Log } from './ports/log.js'
import type { PtpDaemon } from './ports/ptp-daemon.js'
import type { PtpLink } from './ports/ptp-link.js'

/**
 * `auto` is the box's own port, which leads where it must, and says what else there would be: what stamps in hardware do on
 * a board is known once somebody has tried them there.
 */
export async function ptpSource(
  clock: Clock,
  log: Log,
  ptp: NonNullable<BoxConfig['clock']['ptp']>,
  stateFolder: string,
): Promise<PtpLink | PtpDaemon> {
  const { interface: interfaceName, domain, engine } = ptp
  const phc = await phcOf(interfaceName)
  const why = phc === null ? `${interfaceName} has no clock of its own` : `${phc} can stamp packets`
  log.info('clock.engine', { engine: engine === 'ptp4l' ? 'ptp4l' : 'own', asked: engine, why })
  if (engine !== 'ptp4l') return new LinuxPtpLink(clock, interfaceName)
  const folder = join(stateFolder, 'ptp4l')
  return new Ptp4l(clock, { interfaceName, domain, phc, folder })
}
