/** A tour's repository and a box with two slots, by the commands that a tour engineer types, on loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { LinuxBrotli } from '../../drivers/linux/brotli.js'
import { LinuxDigests } from '../../drivers/linux/digests.js'
import { LinuxReleaseTree } from '../../drivers/linux/release-tree.js'
import { KeysTool, openRing } from '../../ota/keys-cli.js'
import { buildObjects } from '../../ota/patch/build.js'
import { PublishTool } from '../../ota/publish-cli.js'
import { checkDescription, PIECE_BYTES } from '../../ota/release/description.js'
import { formatManifest } from '../../ota/release/manifest.js'
import type { CliActions } from '../../runtime/cli/actions.js'
import { HttpBoxLink } from '../../runtime/cli/box-link.js'
import { keySource, publishOptions } from '../../runtime/cli/key-options.js'
import { otaLink } from '../../runtime/cli/ota-link.js'
import { runCli } from '../../runtime/cli/program.js'
import type { OtaReply } from '../../runtime/core/ota-control.js'
import { packageVersion } from '../../runtime/version.js'
import { noActions } from '../cli/cli-world.js'
import { releaseBuiltOnce } from '../ota/release/built-once.js'

const COMMAND = join(process.cwd(), 'dist/program/roadcase.js')
const LOOK_MS = 200
const run = promisify(execFile)

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface Typed {
  readonly code: number
  readonly out: string
}

/** One line at the command line, with the folders of this test, by the program that is shipped. */
export async function typeAsShipped(folder: string, ...words: string[]): Promise<Typed> {
  try {
    const { stdout, stderr } = await run(process.execPath, [COMMAND, ...words], { cwd: folder })
    return { code: 0, out: stdout + stderr }
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number')
      return { code: error.code, out: 'stderr' in error ? `${error.stderr}` : '' }
    throw error
  }
}

/** The same in this very process, since a start costs more than what most commands do. One at a time. */
export async function type(folder: string, ...words: string[]): Promise<Typed> {
  let [out, errors] = ['', '']
  const terminal = {
    write: (text: string): void => {
      out += text
    },
    writeError: (text: string): void => {
      errors += text
    },
    isColour: false,
  }
  const options = { version: packageVersion, stateFolder: '.roadcase', home: folder }
  const before = process.cwd()
  process.chdir(folder)
  try {
    const code = await runCli(words, { ...noActions, ...ownActions }, terminal, options)
    return { code, out: code === 0 ? out + errors : errors }
  } finally {
    process.chdir(before)
  }
}

const ownActions: Pick<CliActions, 'link' | 'otaLink' | 'keys' | 'publishing'> = {
  link: stateFolder => new HttpBoxLink(stateFolder),
  otaLink,
  keys: async flags => new KeysTool(openRing(keySource(flags, process.env))),
  publishing: async flags => new PublishTool(publishOptions(flags, process.env)),
}

/** What this checkout is, as a release for this machine, in `into/tree`. */
export async function ownRelease(into: string): Promise<void> {
  const { folder } = await releaseBuiltOnce()
  cpSync(join(folder, 'tree'), join(into, 'tree'), { recursive: true })
}

/** The same release with another version, as `release publish` wants it: a tree, its description, its objects. */
export async function nextRelease(
  from: string,
  into: string,
  version: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tree = join(into, 'tree')
  cpSync(from, tree, { recursive: true })
  const release = JSON.parse(readFileSync(join(tree, 'release.json'), 'utf8'))
  writeFileSync(join(tree, 'release.json'), JSON.stringify({ ...release, version }))
  for (const [path, text] of Object.entries(changes)) writeFileSync(join(tree, path), text)
  const entries = readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter(path => path !== 'manifest' && statSync(join(tree, path)).isFile())
    .map(path => {
      const bytes = readFileSync(join(tree, path))
      const mode = (statSync(join(tree, path)).mode & 0o100) === 0 ? '644' : '755'
      return { path, mode, byteCount: bytes.length, sha256: sha256(bytes) } as const
    })
  const manifest = formatManifest(entries)
  writeFileSync(join(tree, 'manifest'), manifest)
  const built = await buildObjects(
    { brotli: new LinuxBrotli(), digests: new LinuxDigests() },
    {
      next: new LinuxReleaseTree(tree),
      bases: [new LinuxReleaseTree(from)],
      kinds: ['full', 'patch'],
      quality: 1,
    },
  )
  mkdirSync(join(into, 'objects'))
  const objects = built.map(({ kind, from: base, bytes }) => {
    const digest = sha256(bytes)
    writeFileSync(join(into, 'objects', `${digest}.${kind}`), bytes)
    const pieces = Array.from({ length: Math.ceil(bytes.length / PIECE_BYTES) }, (_, index) =>
      Buffer.from(sha256(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)), 'hex'),
    )
    return {
      kind,
      from: base,
      target: `objects/${digest}.${kind}`,
      byteCount: bytes.length,
      sha256: digest,
      pieceByteCount: PIECE_BYTES,
      pieces: Buffer.concat(pieces).toString('base64'),
    }
  })
  const description = checkDescription({
    format: 1,
    product: 'roadcase',
    version,
    architecture: release.architecture,
    boards: null,
    manifest: { sha256: sha256(manifest), byteCount: manifest.length },
    treeByteCount: entries.reduce((sum, { byteCount }) => sum + byteCount, 0),
    treeFileCount: entries.length,
    floor: null,
    minimumUpdater: null,
    notes: '',
    objects,
  })
  writeFileSync(join(into, 'description.json'), JSON.stringify(description))
}

/** Any web server will do: this one knows files and nothing else. */
export async function serve(
  folder: string,
): Promise<{ url: string; requests: string[]; close(): Promise<void> }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(request.url ?? '/'))
    requests.push(path)
    try {
      response.end(readFileSync(join(folder, path)))
    } catch {
      // Not there, as a web server says it.
      response.writeHead(404).end()
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const close = (): Promise<void> =>
    new Promise(resolve => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { url: `http://127.0.0.1:${port}`, requests, close }
}

/** A card as it comes from the workshop: one release in a slot, whom to believe, and who the box is. */
export class OtaBox {
  readonly home: string
  #launcher: ChildProcess | null = null
  #said = ''

  constructor(
    home: string,
    {
      tree,
      root,
      url,
      name = 'box-1',
      venue = null,
      broker = { port: 0 },
    }: {
      readonly tree: string
      readonly root: string
      readonly url: string
      readonly name?: string
      readonly venue?: object | null
      /** Of the broker in the box. */
      readonly broker?: object
    },
  ) {
    this.home = home
    mkdirSync(join(home, 'slots'), { recursive: true })
    cpSync(tree, join(home, 'slots/a'), { recursive: true })
    cpSync(join(tree, 'launcher.mjs'), join(home, 'launcher.mjs'))
    cpSync(root, join(home, 'root.json'))
    const own = { schemaVersion: 1, tour: 'tour-7', box: name }
    writeFileSync(
      join(home, 'ota.json'),
      JSON.stringify({ ...own, repositories: [url], sticks: [], venue }),
    )
    const inside = { kind: 'embedded', ...broker }
    const box = { ...own, devices: [], broker: inside, page: { port: 0 } }
    writeFileSync(join(home, 'box.json'), JSON.stringify(box))
  }

  /** As a person who edits `ota.json` of a box that runs. Resolves when the updater runs with it. */
  async configure(changes: object): Promise<void> {
    const path = join(this.home, 'ota.json')
    const told = this.#said.length
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }))
    const deadline = Date.now() + 30_000
    while (!/"ota.reconfigured"[\s\S]*"ota.ready"/.test(this.#said.slice(told))) {
      if (Date.now() > deadline) throw new Error(`not taken\n${this.#said.slice(told)}`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }

  start(): void {
    const words = ['launcher.mjs', '--config', join(this.home, 'box.json'), '--board', 'simulated']
    this.#launcher = spawn(process.execPath, words, {
      cwd: this.home,
      env: { ...process.env, ROADCASE_HOME: this.home, ROADCASE_STATE: join(this.home, 'state') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#launcher.stdout, this.#launcher.stderr])
      stream?.setEncoding('utf8').on('data', text => {
        this.#said += text
      })
  }

  /** What launcher, updater and box have said so far. */
  get said(): string {
    return this.#said
  }

  async stop(): Promise<void> {
    const launcher = this.#launcher
    if (launcher === null || launcher.exitCode !== null) return
    const gone = new Promise(resolve => launcher.once('exit', resolve))
    launcher.kill('SIGTERM')
    await gone
  }

  /** As a technician says it, once the box is there to hear it. */
  async setDate(): Promise<void> {
    const deadline = Date.now() + 30_000
    for (;;) {
      const { code, out } = await type(
        this.home,
        '--state',
        join(this.home, 'state'),
        'clock',
        'set',
      )
      if (code === 0) return
      if (Date.now() > deadline) throw new Error(`${out}\n${this.#said.slice(-3000)}`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }

  /** `roadcase ota …` of this box. */
  ota(...words: string[]): Promise<Typed> {
    return type(this.home, 'ota', '--home', this.home, ...words)
  }

  /** Null while no updater answers. */
  async state(): Promise<OtaReply['state']> {
    const reply = await otaLink(this.home)
      .ask({ ask: 'status' })
      .catch(() => null)
    return reply?.state ?? null
  }

  /** @throws what the box said, when it does not come to that within `secondsMax` */
  async until(
    isSo: (state: NonNullable<OtaReply['state']>) => boolean,
    secondsMax = 60,
  ): Promise<NonNullable<OtaReply['state']>> {
    const deadline = Date.now() + secondsMax * 1000
    for (;;) {
      const state = await this.state()
      if (state !== null && isSo(state)) return state
      if (Date.now() > deadline)
        throw new Error(`it is ${JSON.stringify(state)}\n${this.#said.slice(-3000)}`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }
}
