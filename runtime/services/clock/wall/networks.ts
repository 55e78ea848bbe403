/** Networks of IPv4 as people write them: `10.77.0.0/24`, or one address. */

export const NTP_PORT = 123

export interface Network {
  readonly first: number
  readonly last: number
}

const ADDRESS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** As a number of 32 bits; null for what is not an address. */
export function addressNumber(address: string): number | null {
  const parts = ADDRESS.exec(address)?.slice(1).map(Number) ?? []
  if (parts.length !== 4 || parts.some(part => part > 255)) return null
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

/** Null for what is not a network. */
export function networkOf(text: string): Network | null {
  const [address = '', length = '32', ...rest] = text.split('/')
  const number = addressNumber(address)
  const bits = Number(length)
  if (number === null || rest.length > 0 || !/^\d{1,2}$/.test(length) || bits > 32) return null
  const size = 2 ** (32 - bits)
  const first = Math.floor(number / size) * size
  return { first, last: first + size - 1 }
}

export function isWithin(address: string, networks: readonly Network[]): boolean {
  const number = addressNumber(address)
  if (number === null) return false
  return networks.some(({ first, last }) => number >= first && number <= last)
}
