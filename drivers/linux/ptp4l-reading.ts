/** From what pmc answered to what the venue's clock needs. */
import type { PtpLeader } from '../../runtime/ports/ptp-daemon.js'
import type { PmcAnswer } from './pmc-answers.js'

type Fields = PmcAnswer['fields']

/** It goes on naming a leader that is gone. Running free, it never counts itself as calibrated. */
export const isFollowing = ({ portState }: Fields): boolean =>
  portState === 'SLAVE' || portState === 'UNCALIBRATED'

/** Null where nobody but itself leads, or an answer is missing something. */
export function leaderOf(parent: Fields, current: Fields, own: string): PtpLeader | null {
  const port = /^([0-9a-f.]+)-(\d+)$/.exec(parent['parentPortIdentity'] ?? '')
  const identity = identityOf(parent['grandmasterIdentity'])
  const numbers = [
    parent['grandmasterPriority1'],
    parent['gm.ClockClass'],
    parent['gm.ClockAccuracy'],
    parent['gm.OffsetScaledLogVariance'],
    parent['grandmasterPriority2'],
    current['stepsRemoved'],
  ].map(numberOf)
  const [priority1, clockClass, accuracy, variance, priority2, stepsRemoved] = numbers
  if (port === null || identity === null || identity === own || numbers.includes(null)) return null
  return {
    parent: { clock: (port[1] ?? '').replaceAll('.', ''), port: Number(port[2]) },
    grandmaster: {
      identity,
      priority1: priority1 ?? 0,
      clockClass: clockClass ?? 0,
      accuracy: accuracy ?? 0,
      variance: variance ?? 0,
      priority2: priority2 ?? 0,
    },
    stepsRemoved: stepsRemoved ?? 0,
  }
}

/** Of its own clock when the last Sync arrived, and of the leader's; null while there was none. */
export function timesOf(
  status: Fields,
): { readonly ingressNs: bigint; readonly masterNs: bigint } | null {
  const { ingress_time: ingress = '', master_offset: offset = '' } = status
  if (status['gmPresent'] !== 'true' || !/^\d+$/.test(ingress) || !/^-?\d+$/.test(offset))
    return null
  const ingressNs = BigInt(ingress)
  return ingressNs === 0n ? null : { ingressNs, masterNs: ingressNs - BigInt(offset) }
}

/** `meanPathDelay 12345.0`, in nanoseconds. */
export const pathDelayNsOf = (current: Fields): number => numberOf(current['meanPathDelay']) ?? 0

/** `3ee558.fffe.4dad8a` */
function identityOf(text: string | undefined): string | null {
  const identity = (text ?? '').replaceAll('.', '')
  return /^[0-9a-f]{16}$/.test(identity) ? identity : null
}

/** `128`, `0xfe`, `-12.5`; null for anything else. */
function numberOf(text: string | undefined): number | null {
  if (text === undefined || !/^-?(\d+(\.\d+)?|0x[0-9a-f]+)$/i.test(text)) return null
  return Number(text)
}
