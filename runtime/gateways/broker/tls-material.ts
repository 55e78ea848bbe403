import type { EmbeddedBrokerConfig } from '../../config.js'
import { ConfigError } from '../../core/errors.js'
import type { Files } from '../../ports/files.js'
import type { TlsMaterial } from './listeners.js'

type TlsConfig = NonNullable<EmbeddedBrokerConfig['tls']>

/** Null where box.json names none. @throws ConfigError for a file that is not there */
export async function readTls(
  files: Files | null,
  tls: TlsConfig | null,
): Promise<TlsMaterial | null> {
  if (!tls) return null
  const read = async (field: 'key' | 'certificate' | 'clientAuthority'): Promise<Uint8Array> => {
    const bytes = (await files?.read(tls[field])) ?? null
    if (bytes) return bytes
    throw new ConfigError([
      { path: `box.broker.tls.${field}`, message: `there is no ${tls[field]}`, place: null },
    ])
  }
  return {
    key: await read('key'),
    certificate: await read('certificate'),
    clientAuthority: await read('clientAuthority'),
  }
}
