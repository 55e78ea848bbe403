/** What ptp4l is told (ptp4l(8)): it follows, and leaves every clock of the machine alone. */

export interface Ptp4lOptions {
  readonly domain: number
  /** The PHC of the interface, or the kernel's stamps. */
  readonly stamps: 'hardware' | 'kernel'
  /** Sockets of the file system, that pmc asks through. */
  readonly socket: string
  readonly readOnlySocket: string
}

/** Version 4 renamed what was called a slave, and asks for a second socket that may only read. */
const RENAMED_IN = 4

/** @param version as `ptp4l -v` says it: `3.1.1`, `4.2` */
export function ptp4lConfig(version: string, options: Ptp4lOptions): string {
  const isOld = Number.parseInt(version, 10) < RENAMED_IN
  const settings: Record<string, string | number> = {
    domainNumber: options.domain,
    time_stamping: options.stamps === 'hardware' ? 'hardware' : 'software',
    free_running: 1,
    [isOld ? 'slaveOnly' : 'clientOnly']: 1,
    logAnnounceInterval: -2,
    logSyncInterval: -3,
    logMinDelayReqInterval: -3,
    dscp_event: 46,
    network_transport: 'UDPv4',
    uds_address: options.socket,
    ...(isOld ? {} : { uds_ro_address: options.readOnlySocket }),
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return ['[global]', ...lines, ''].join('\n')
}
