/** Certificates of a test's own, made by openssl: an authority, and a server's of any dates. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from './namespaces.js'

export interface Signed {
  /** Files of PEM. */
  readonly certificate: string
  readonly key: string
}

/** As openssl-ca(1) takes them: `20240101000000Z`. */
export interface Dates {
  readonly from: string
  readonly to: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes one that signs itself, in that folder. */
export function makeAuthority(folder: string): Signed {
  mkdirSync(join(folder, 'issued'), { recursive: true })
  writeFileSync(join(folder, 'index'), '')
  writeFileSync(join(folder, 'serial'), '01\n')
  const authority = {
    certificate: join(folder, 'authority.pem'),
    key: join(folder, 'authority.key'),
  }
  const files = ['-keyout', authority.key, '-out', authority.certificate]
  openssl(['req', '-x509', ...KEY, ...files, '-days', '3650', '-subj', '/CN=A test of Roadcase'])
  return authority
}

/** Signs one for an address, in the folder of that authority. */
export function sign(
  folder: string,
  by: Signed,
  name: string,
  address: string,
  dates: Dates,
): Signed {
  const signed = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }
  const [request, config] = [join(folder, `${name}.csr`), join(folder, `${name}.cnf`)]
  openssl(['req', ...KEY, '-keyout', signed.key, '-out', request, '-subj', `/CN=${name}`])
  const lines = [
    '[ca]',
    'default_ca=own',
    '[own]',
    `database=${join(folder, 'index')}`,
    `serial=${join(folder, 'serial')}`,
    `new_certs_dir=${join(folder, 'issued')}`,
    'default_md=sha256',
    'policy=any',
    'x509_extensions=names',
    '[any]',
    'commonName=supplied',
    '[names]',
    `subjectAltName=IP:${address}`,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const asked = ['-in', request, '-out', signed.certificate, '-notext', '-batch']
  const times = ['-startdate', dates.from, '-enddate', dates.to]
  openssl([
    'ca',
    '-config',
    config,
    '-cert',
    by.certificate,
    '-keyfile',
    by.key,
    ...times,
    ...asked,
  ])
  return signed
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { env: environment, stdio: 'pipe' })
}
