/** The part of box.json that says where the date comes from and who is told of it. */
import {
  boolean,
  integer,
  list,
  nullable,
  type Of,
  object,
  oneOf,
  pattern,
  withDefault,
} from './schema.js'

/** A name or an address of IPv4, as it is given to other programs too: nothing in it has a meaning for them. */
const hostName = pattern(
  /^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?)*$/,
  'the name of a host like time.example.org, or an address like 10.0.0.1',
  253,
)

const network = pattern(
  /^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)\/(3[0-2]|[12]?\d)$/,
  'a network of IPv4 like 10.77.0.0/24',
  18,
)

/** Given to other programs, too: nothing in it has a meaning for them. */
const path = pattern(
  /^(\/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)+$/,
  'the whole path of a file, like /etc/roadcase/time-ca.pem',
  255,
)

const server = object({
  host: hostName,
  /** The name leads to many servers, of which a few are asked. */
  isPool: withDefault(boolean, false),
  /** Network Time Security, RFC 8915: chrony only. */
  isNts: withDefault(boolean, false),
})

/** RFC 1918 and 3927: whoever has an address in a venue. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']

export const ntpConfig = object({
  /** `auto`: chrony where it is installed. `embedded`: the runtime asks and serves by itself. */
  engine: withDefault(oneOf('auto', 'chrony', 'embedded'), 'auto'),
  /** On the internet, or a server of the house. None: the box asks nobody. */
  servers: withDefault(list(server, { max: 8 }), []),
  /** PEM: who may sign the certificates of servers with NTS, beside those whom the operating system trusts. */
  trustedCertificates: withDefault(nullable(path), null),
  /** The box of the venue that has the way to the internet: this one asks only that one then. */
  follow: withDefault(nullable(hostName), null),
  serve: withDefault(oneOf('off', 'loopback', 'venue'), 'off'),
  /** Who is answered where it serves the venue. */
  allow: withDefault(list(network, { min: 1, max: 16 }), PRIVATE),
  /** Others may follow this box also when it does not know UTC. */
  isLocalSource: withDefault(boolean, false),
  /** 123 is what everybody asks; the runtime's own server may have another where it has no right to that one. */
  port: withDefault(integer({ min: 1, max: 65_535 }), 123),
})

export type NtpConfig = Of<typeof ntpConfig>
