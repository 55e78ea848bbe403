/** Which addresses are those of boxes beside this one: of a range for LANs, or of a network that this box is on itself. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

export type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>

/** RFC 1918, RFC 3927, RFC 6598; RFC 4193 for IPv6. */
const LAN_V4 =
  /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/
const LAN_V6 = /^f[cd][0-9a-f]{2}:/
/** An address that means another box on each cable; its zone means nothing to others. */
const LINK_LOCAL_V6 = /^fe[89ab][0-9a-f]:/

/** Of a network that has neighbours: no address alone, no way from here to one other (RFC 3021, RFC 6164), not half the world. */
const PREFIX_V4 = { min: 16, max: 30 } as const
const PREFIX_V6 = { min: 64, max: 126 } as const

const isOfLanRange = (host: string): boolean =>
  (isIPv4(host) && LAN_V4.test(host)) || (isIPv6(host) && LAN_V6.test(host))

/** Null for a network that is not one with neighbours. */
function networkOf({ address, cidr, internal }: NetworkInterfaceInfo): BlockList | null {
  const bits = Number(cidr?.split('/')[1] ?? Number.NaN)
  const { min, max } = isIPv4(address) ? PREFIX_V4 : PREFIX_V6
  if (internal || LINK_LOCAL_V6.test(address) || !(bits >= min && bits <= max)) return null
  const network = new BlockList()
  network.addSubnet(address, bits, isIPv4(address) ? 'ipv4' : 'ipv6')
  return network
}

/**
 * Venues give public addresses, too: a university has more of them than rooms. There the boxes beside this one are those of
 * its own network.
 * @param host an address, no name; one of IPv4 also as a socket for both tells it (`::ffff:192.0.2.7`)
 */
export function isBeside(host: string, interfaces: Interfaces = networkInterfaces()): boolean {
  const at = host.replace(/^::ffff:(?=\d+\.)/, '')
  if (!isIPv4(at) && !isIPv6(at)) return false
  if (isOfLanRange(at)) return true
  return Object.values(interfaces)
    .flat()
    .some(info => info && networkOf(info)?.check(at, isIPv4(at) ? 'ipv4' : 'ipv6'))
}

/** Bridges of containers, tunnels, gadgets: the same address on every box, or of no use to the others. */
const INNER = /^(br-|cni|docker|dummy|lxc|tap|tun|usb|veth|virbr|wg)/

/**
 * What others would go to, the likeliest first: of cables and Wi-Fi, of ranges for LANs, and of these IPv4.
 * @param host that is listened on: at `0.0.0.0` nobody hears IPv6
 */
export function hostsOf(host: string, interfaces: Interfaces = networkInterfaces()): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host]
  return Object.entries(interfaces)
    .flatMap(([name, infos = []]) =>
      infos
        .filter(info => isOfLanRange(info.address) || networkOf(info) !== null)
        .filter(({ address, internal }) => !internal && (host === '::' || isIPv4(address)))
        .map(({ address }) => ({ address, cost: costOf(name, address) })),
    )
    .sort((one, other) => one.cost - other.cost)
    .map(({ address }) => address)
}

const costOf = (name: string, address: string): number =>
  (INNER.test(name) ? 4 : 0) + (isOfLanRange(address) ? 0 : 2) + (isIPv4(address) ? 0 : 1)

const PORT_MIN = 1024

/** Null for an address that is not one of a box beside this one: a name, a far host, a port of the system. */
export function addressOfPeer(
  text: string,
  isLoopbackAllowed: boolean,
  interfaces: Interfaces = networkInterfaces(),
): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '') return null
  if (url.pathname !== '/' || url.search !== '' || Number(url.port) < PORT_MIN) return null
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isLoopbackAllowed && host === '127.0.0.1') return url
  return isBeside(host, interfaces) ? url : null
}
