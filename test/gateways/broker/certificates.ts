/** Authorities and certificates as a tour has them, made by openssl in a folder of their own. */
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import type { Files } from '../../../runtime/ports/files.js'

const execute = promisify(execFile)
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const

export interface CertificateOptions {
  /** The common name; the file's name when left out. */
  readonly name?: string
  /** Of a server: `DNS:localhost,IP:127.0.0.1` when left out. */
  readonly names?: string
  /** Negative for one that has expired. */
  readonly days?: number
}

export class Papers {
  readonly folder: string
  /** What a box is given to read them. */
  readonly files: Files

  constructor(folder: string) {
    this.folder = folder
    this.files = {
      read: name => readFile(this.path(name)).catch(() => null),
      replace: (name, bytes) => writeFile(this.path(name), bytes),
      remove: name => rm(this.path(name)),
    }
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  /** `<file>.crt` and `<file>.key`. */
  async authority(file: string, days = 2): Promise<void> {
    const out = ['-keyout', this.path(`${file}.key`), '-out', this.path(`${file}.crt`)]
    const paper = ['-x509', '-days', `${days}`]
    await execute('openssl', ['req', ...paper, ...newKey, ...subject(file), ...out])
  }

  /** `<file>.crt` and `<file>.key`, in the place of those that were there. */
  async certificate(file: string, by: string, options: CertificateOptions = {}): Promise<void> {
    const { name = file, names = 'DNS:localhost,IP:127.0.0.1', days = 2 } = options
    const [request, extensions] = [this.path(`${file}.csr`), this.path(`${file}.ext`)]
    const key = this.path(`${file}.key`)
    await execute('openssl', [
      ...['req', ...newKey, ...subject(name), '-keyout', key, '-out', request],
    ])
    await writeFile(extensions, `subjectAltName=${names}\n`)
    await execute('openssl', [
      ...['x509', '-req', '-in', request, '-CA', this.path(`${by}.crt`)],
      ...['-CAkey', this.path(`${by}.key`), '-CAcreateserial', '-days', `${days}`],
      ...['-extfile', extensions, '-out', this.path(`${file}.crt`)],
    ])
    // Mosquitto reads it as nobody.
    await chmod(key, 0o644)
  }

  /** The same once more, to be changed by one test alone. */
  async copy(t: Test): Promise<Papers> {
    const papers = await makePapers(t)
    await cp(this.folder, papers.folder, { recursive: true })
    return papers
  }

  async serialOf(file: string): Promise<string> {
    return new X509Certificate(await readFile(this.path(`${file}.crt`))).serialNumber
  }
}

const subject = (name: string): string[] => ['-subj', `/CN=${name}`]

/** Gone at the end of the test. */
export async function makePapers(t: Test): Promise<Papers> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-papers-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  return new Papers(folder)
}
