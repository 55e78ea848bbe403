/** What chronyd is told: chrony.conf(5), for the versions 4.0 and later. */
import type { NtpConfig } from '../../../core/ntp-config.js'
import type { DaemonPlaces } from '../../../ports/time-daemon.js'
import { LOCAL_STRATUM } from './wall-policy.js'

export interface ChronyFacts {
  readonly version: readonly [number, number]
  readonly hasNts: boolean
  readonly setsSystem: boolean
  /** The box knows its date, so that it can tell whether a certificate is of today. */
  readonly isDateKnown: boolean
}

const POOL_SOURCES = 4
/** As the box's own scale does, in millionths: the kernel hurries the clock that cues are fired by along with the date. */
const SLEW_PPM = 500
/** Answers in so many seconds, as a power of two, before somebody is limited, and how many at once. */
const RATE_LIMIT = 'ratelimit interval -4 burst 64'

export function chronyConfig(
  config: NtpConfig,
  facts: ChronyFacts,
  { socket, pidFile, driftFile, cookieFolder }: DaemonPlaces,
): readonly string[] {
  const { version, hasNts, setsSystem } = facts
  return [
    ...sources(config, hasNts),
    ...(hasNts && wantsNts(config) ? security(config, facts, cookieFolder) : []),
    ...(config.isLocalSource ? [localDirective(LOCAL_STRATUM, version)] : []),
    ...serving(config),
    `driftfile ${driftFile}`,
    // It makes the date jump when it is told to: it does not know when a show is armed.
    ...(setsSystem ? [`maxslewrate ${SLEW_PPM}`, 'rtcsync'] : []),
    // A person may say what the date is.
    'manual',
    'cmdport 0',
    `bindcmdaddress ${socket}`,
    `pidfile ${pidFile}`,
  ]
}

/** Whether there is a server that is to prove who it is. */
export const wantsNts = ({ servers, follow }: NtpConfig): boolean =>
  follow === null && servers.some(({ isNts }) => isNts)

/** Keys that were got without looking at the date of a certificate are not kept. */
const security = (
  { trustedCertificates }: NtpConfig,
  { isDateKnown }: ChronyFacts,
  cookieFolder: string,
): readonly string[] => [
  isDateKnown ? `ntsdumpdir ${cookieFolder}` : 'nocerttimecheck 1',
  ...(trustedCertificates === null ? [] : [`ntstrustedcerts ${trustedCertificates}`]),
]

function sources({ servers, follow, port }: NtpConfig, hasNts: boolean): readonly string[] {
  if (follow !== null) return [`server ${follow} port ${port} iburst minpoll 0 maxpoll 2 xleave`]
  return servers
    .filter(({ isNts }) => hasNts || !isNts)
    .map(({ host, isPool, isNts }) => {
      const kind = isPool
        ? `pool ${host} iburst maxsources ${POOL_SOURCES}`
        : `server ${host} iburst`
      return isNts ? `${kind} nts` : kind
    })
}

/**
 * The venue has one date also without the internet: the box of the lowest reference leads, and the others follow it. The
 * distance is what makes it take over within hours, not days, after the uplink is gone. From 4.7 on chronyd would wait
 * five minutes first.
 */
export function localDirective(stratum: number, [major, minor]: readonly [number, number]): string {
  const directive = `local stratum ${stratum} orphan distance 0.1`
  return major > 4 || (major === 4 && minor >= 7) ? `${directive} waitunsynced 0` : directive
}

function serving({ serve, allow, port }: NtpConfig): readonly string[] {
  if (serve === 'off') return ['port 0']
  const networks = serve === 'venue' ? allow : []
  return [
    `port ${port}`,
    ...(serve === 'loopback' ? ['bindaddress 127.0.0.1'] : []),
    ...['127.0.0.0/8', ...networks].map(network => `allow ${network}`),
    RATE_LIMIT,
  ]
}
