/** A publisher with keys of memory, and tuf-js as the client that nobody here wrote. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Updater } from 'tuf-js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { SimulatedPublicFolder } from '../../../drivers/simulated/public-folder.js'
import { SimulatedSigningKeys } from '../../../drivers/simulated/signing-keys.js'
import { KeyRing, type RingKey } from '../../../ota/keys/ring.js'
import { Publisher } from '../../../ota/publish/publisher.js'
import type { Holders } from '../../../ota/publish/roles.js'
import { PIECE_BYTES } from '../../../ota/release/description.js'
import { randomFrom } from '../../../runtime/core/random.js'
import type { PublicFolder } from '../../../runtime/ports/public-folder.js'

export const keys = new SimulatedKeys(randomFrom(1))
/** Far from now, so that clients judge by the true clock and find nothing expired. */
export const NOW_MS = Date.now()
export const DAYS = { snapshot: 60, timestamp: 14 }

/** Keys and a ring; the ring's folder is lost with the test. */
export class Ceremony {
  readonly signing: SimulatedSigningKeys
  readonly ring: KeyRing

  constructor(seed = 1) {
    this.signing = new SimulatedSigningKeys(randomFrom(seed))
    const passphrases = {
      ask: async () => 'x',
      askNew: async () => 'x',
      askAgain: async () => null,
    }
    this.ring = new KeyRing({
      files: new SimulatedFiles(),
      signing: this.signing,
      keys,
      passphrases,
    })
  }

  async make(...names: readonly string[]): Promise<RingKey[]> {
    const made: RingKey[] = []
    for (const name of names) made.push(await this.ring.create(name, true))
    return made
  }

  async holders(names: readonly string[], threshold: number): Promise<Holders> {
    return { keys: await Promise.all(names.map(name => this.ring.named(name))), threshold }
  }

  /** As when somebody who is not here holds it. */
  lose(name: string): void {
    this.signing.lose(`${name}.key`)
  }

  publisher(folder: PublicFolder, wallMs: () => number = () => NOW_MS): Publisher {
    return new Publisher({ folder, ring: this.ring, keys, wallMs, days: DAYS })
  }
}

/** Root 2 of anna, bert, carla; build signs releases, server is the machine; dora orders for the tour "summer". */
export async function madeRepository(
  ceremony: Ceremony,
  folder: PublicFolder = new SimulatedPublicFolder(),
): Promise<Publisher> {
  await ceremony.make('anna', 'bert', 'carla', 'build', 'server', 'dora', 'erik', 'spare')
  const publisher = ceremony.publisher(folder)
  await publisher.init(await firstHolders(ceremony))
  await publisher.addTour('summer', await ceremony.holders(['dora'], 1))
  return publisher
}

export async function firstHolders(ceremony: Ceremony): Promise<Parameters<Publisher['init']>[0]> {
  const root = await ceremony.holders(['anna', 'bert', 'carla'], 2)
  const machine = await ceremony.holders(['server'], 1)
  const releases = await ceremony.holders(['build'], 1)
  return { root, targets: root, snapshot: machine, timestamp: machine, releases, whyWeaker: null }
}

/** What `roadcase release build` makes, of bytes that mean nothing. */
export async function builtRelease(version: string, byteCount = 300_000): Promise<PublicFolder> {
  const bytes = Buffer.alloc(byteCount, version)
  const sha256 = digestOf(bytes).toString('hex')
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    pieces.push(digestOf(bytes.subarray(at, at + PIECE_BYTES)))
  const target = `objects/${sha256}.full`
  const description = {
    ...{ format: 1, product: 'roadcase', version, architecture: 'x64', boards: null },
    ...{ manifest: { sha256, byteCount: 10 }, treeByteCount: 10, treeFileCount: 1 },
    ...{ floor: null, minimumUpdater: null, notes: '' },
    objects: [
      {
        ...{ kind: 'full', from: null, target, byteCount: bytes.length, sha256 },
        ...{ pieceByteCount: PIECE_BYTES, pieces: Buffer.concat(pieces).toString('base64') },
      },
    ],
  }
  const folder = new SimulatedPublicFolder()
  await folder.write('description.json', [Buffer.from(JSON.stringify(description))])
  await folder.write(target, [bytes])
  return folder
}

export const order = (version: string): unknown => ({
  ...{ format: 1, tour: 'summer', releases: { x64: version }, activation: 'venue', notes: '' },
})

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** A client with its own memory of what it has seen. */
export class Client {
  readonly #folder: string

  /** @param root what it was given when it was set up; null: copy another's memory later */
  constructor(t: Test, root: Uint8Array) {
    this.#folder = mkdtempSync(join(tmpdir(), 'roadcase-tuf-'))
    t.teardown(() => rmSync(this.#folder, { recursive: true, force: true }))
    writeFileSync(join(this.#folder, 'root.json'), root)
  }

  /** Refreshes and downloads. @returns the bytes of each target, null for one that nobody signs */
  async fetch(
    repository: PublicFolder,
    targets: readonly string[],
  ): Promise<readonly (Buffer | null)[]> {
    const server = await served(repository)
    try {
      const updater = new Updater({
        ...{ metadataDir: this.#folder, targetDir: this.#folder, forceCache: false },
        metadataBaseUrl: `${server.url}/metadata`,
        targetBaseUrl: `${server.url}/targets`,
        config: { fetchRetries: 0, fetchRetry: false },
      })
      await updater.refresh()
      const found: (Buffer | null)[] = []
      for (const path of targets) {
        const target = await updater.getTargetInfo(path)
        found.push(target === undefined ? null : readFileSync(await updater.downloadTarget(target)))
      }
      return found
    } finally {
      await server.stop()
    }
  }
}

interface Served {
  readonly url: string
  readonly stop: () => Promise<void>
}

async function served(repository: PublicFolder): Promise<Served> {
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent((request.url ?? '/').slice(1))
    const bytes = await repository.read(name, 2 ** 30).catch(() => null)
    response.writeHead(bytes === null ? 404 : 200, { connection: 'close' }).end(bytes ?? '')
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections()
      return new Promise(done => server.close(() => done()))
    },
  }
}

export async function rootOf(folder: PublicFolder, version = 1): Promise<Uint8Array> {
  const bytes = await folder.read(`metadata/${version}.root.json`, 2 ** 20)
  if (bytes === null) throw new Error('the repository has no such root')
  return bytes
}
