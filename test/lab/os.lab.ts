/**
 * Two operating systems on a real block device, as a card has them: autoboot.txt on a vfat, two boot partitions, two root
 * partitions, and the data of both on ext4; and a machine that is reset without a sync, while an image is written, between
 * two calls, or when it asks for it. In place of the boot loader a few lines read the real autoboot.txt at each boot. Runs
 * once for each boot: LAB_BOOT says which it is. What the box was told "done" for is noted outside of the machine.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { LinuxFirmware, type RebootCommands } from '../../drivers/linux/firmware.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxPartition } from '../../drivers/linux/partition.js'
import { LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { wantedPartition } from '../../drivers/simulated/firmware.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { OsAgent, type OsPlace, type OsPorts } from '../../ota/os/os-agent.js'
import { osRecords } from '../../ota/os/os-record.js'
import type { OsImage, OsName, OsPart, OsSlot } from '../../ota/os/os-state.js'
import { TwoRecords } from '../../ota/slots/two-records.js'
import { randomFrom } from '../../runtime/core/random.js'
import { labSays } from './far-side.js'

const DISK = '/dev/ubda'
/** Of the host: what is here, no reset of the machine takes away. */
const HOST = '/run/lab'
const TOLD = join(HOST, 'told')
/** The register of the processor in which the wish for a trial outlives a reboot, and no power cut. */
const FLAG = join(HOST, 'tryboot-flag')
const AUTOBOOT = '/mnt/autoboot'
const DATA = '/mnt/data'
const DEVICE_TREE = '/run/bootloader'
const MEGABYTE = 1024 * 1024
const BOOT_BYTES = 2 * MEGABYTE
const ROOT_BYTES = 4 * MEGABYTE
const MARK = 'roadcase-os-0000'
const boot = Number(labSays('LAB_BOOT'))
const boots = Number(process.env['LAB_OS_BOOTS'] ?? 11)
const random = randomFrom(Number(process.env['LAB_OS_SEED'] ?? 1) * 1_000 + boot)
/** Writing an image and asking for its trial take some sixty calls. */
const CALLS_STEP = 17
const CALLS_MAX = 60
const CUT_MS_MAX = 700

const tell = (line: string): void => appendFileSync(TOLD, `${line}\n`)
const told = (kind: string): string[] =>
  (existsSync(TOLD) ? readFileSync(TOLD, 'utf8').split('\n') : [])
    .filter(line => line.startsWith(`${kind} `))
    .map(line => line.slice(kind.length + 1))
const run = (program: string, ...words: string[]): void => {
  execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] })
}

const rootOf = (partition: number): number => partition + 3

if (boot === 1) prepareCard()
const libc = await openLibc()
const keys = new LinuxKeys()
const started = startFirmware()
const running = versionOf(started)
mkdirSync(AUTOBOOT, { recursive: true })
mkdirSync(DATA, { recursive: true })
run('mount', '-t', 'vfat', '-o', 'noatime', `${DISK}1`, AUTOBOOT)
run('mount', '-t', 'ext4', `${DISK}7`, DATA)
const ports = portsOf()
if (boot > 1) await judge()
if (boot < boots) await live()
else await report()

/** No sync, no goodbye: what the kernel holds in memory is gone. */
function reset(options: { isPowerCut: boolean }): void {
  if (options.isPowerCut) rmSync(FLAG, { force: true })
  run('busybox', 'reboot', '-f', '-n')
}

function prepareCard(): void {
  writePartitionTable()
  run('busybox', 'blockdev', '--rereadpt', DISK)
  run('mkfs.vfat', '-n', 'AUTOBOOT', `${DISK}1`)
  run('mke2fs', '-q', '-F', '-t', 'ext4', `${DISK}7`)
  makeTemplates()
  const first = imagesOf(0)
  writeFileSync(`${DISK}2`, first.boot)
  writeFileSync(`${DISK}5`, first.root)
  mkdirSync(AUTOBOOT, { recursive: true })
  run('mount', '-t', 'vfat', `${DISK}1`, AUTOBOOT)
  const lines = ['[all]', 'tryboot_a_b=1', 'boot_partition=2', '[tryboot]', 'boot_partition=2', '']
  writeFileSync(join(AUTOBOOT, 'autoboot.txt'), lines.join('\n'))
  run('umount', AUTOBOOT)
  run('sync')
}

/** An MBR with three primary partitions and three in an extended one, which is how a Pi 3 and its successors all boot. */
function writePartitionTable(): void {
  const disk = openSync(DISK, 'r+')
  const sectorsOf = (megabytes: number): number => (megabytes * MEGABYTE) / 512
  const table = (
    at: number,
    entries: readonly (readonly [type: number, from: number, count: number])[],
  ): void => {
    const sector = Buffer.alloc(512)
    for (const [index, [type, from, count]] of entries.entries()) {
      const place = 446 + index * 16
      sector[place + 4] = type
      sector.writeUInt32LE(from, place + 8)
      sector.writeUInt32LE(count, place + 12)
    }
    sector.writeUInt16LE(0xaa55, 510)
    writeSync(disk, sector, 0, 512, at * 512)
  }
  const extended = sectorsOf(16)
  table(0, [
    [0x0c, sectorsOf(1), sectorsOf(4)],
    [0x0c, sectorsOf(6), sectorsOf(3)],
    [0x0c, sectorsOf(10), sectorsOf(3)],
    [0x05, extended, sectorsOf(100)],
  ])
  const logical = [8, 8, 64]
  let at = 0
  for (const [index, megabytes] of logical.entries()) {
    const next = at + sectorsOf(megabytes + 1)
    const own = [0x83, sectorsOf(1), sectorsOf(megabytes)] as const
    const following = [0x05, next, sectorsOf((logical[index + 1] ?? 0) + 1)] as const
    table(extended + at, index + 1 < logical.length ? [own, following] : [own])
    at = next
  }
  closeSync(disk)
}

/** A FAT and an ext4 whose files say in each sector which version they are of. */
function makeTemplates(): void {
  const folder = '/mnt/template'
  mkdirSync(folder, { recursive: true })
  const payload = (byteCount: number): string => MARK.padEnd(512, '.').repeat(byteCount / 512)
  // Where system b will be: a file of the host cannot be mounted here.
  run('mkfs.vfat', '-i', '12345678', `${DISK}3`, String(BOOT_BYTES / 1024))
  run('mount', '-t', 'vfat', `${DISK}3`, folder)
  writeFileSync(join(folder, 'config.txt'), `# ${MARK}\n`)
  writeFileSync(join(folder, 'kernel8.img'), payload(MEGABYTE))
  run('umount', folder)
  writeFileSync(join(HOST, 'boot.template'), firstBytes(3, BOOT_BYTES))
  writeFileSync(`${DISK}3`, Buffer.alloc(BOOT_BYTES))
  const tree = '/mnt/tree'
  mkdirSync(tree, { recursive: true })
  writeFileSync(join(tree, 'payload'), payload(3 * MEGABYTE))
  const size = String(ROOT_BYTES / 1024)
  run(
    'mke2fs',
    '-q',
    '-F',
    '-t',
    'ext4',
    '-O',
    '^has_journal',
    '-d',
    tree,
    join(HOST, 'root.template'),
    `${size}k`,
  )
}

function imagesOf(version: number): Record<OsPart, Buffer> {
  const digits = String(version).padStart(4, '0')
  const of = (part: OsPart): Buffer => {
    const bytes = readFileSync(join(HOST, `${part}.template`))
    const prefix = MARK.slice(0, -4)
    for (let at = bytes.indexOf(prefix); at >= 0; at = bytes.indexOf(prefix, at + MARK.length))
      bytes.write(digits, at + prefix.length, 'latin1')
    return bytes
  }
  return { boot: of('boot'), root: of('root') }
}

function imageOf(version: number): OsImage {
  const bytes = imagesOf(version)
  const part = (one: Buffer) => ({ byteCount: one.length, sha256: keys.sha256Hex(one) })
  const [bootPart, root] = [part(bytes.boot), part(bytes.root)]
  const digest = keys.sha256Hex(new TextEncoder().encode(bootPart.sha256 + root.sha256))
  return { digest, version: `1.${version}.0`, floor: null, boot: bootPart, root }
}

/** What a boot loader does: the flag is gone before anything starts, and what is no file system is passed over. */
function startFirmware(): number {
  const hasTrialFlag = existsSync(FLAG)
  rmSync(FLAG, { force: true })
  mkdirSync(AUTOBOOT, { recursive: true })
  run('mount', '-t', 'vfat', '-o', 'ro', `${DISK}1`, AUTOBOOT)
  const wanted = wantedPartition(readFileSync(join(AUTOBOOT, 'autoboot.txt'), 'utf8'), hasTrialFlag)
  run('umount', AUTOBOOT)
  // With the flag nothing but what it points to is a trial; a walk beyond it would hide a half-written system.
  if (!isBootable(wanted)) tell(`bad boot ${boot}: partition ${wanted} cannot be booted`)
  mkdirSync(DEVICE_TREE, { recursive: true })
  const cell = (value: number): Buffer => Buffer.from([0, 0, 0, value])
  writeFileSync(join(DEVICE_TREE, 'partition'), cell(wanted))
  writeFileSync(join(DEVICE_TREE, 'tryboot'), cell(hasTrialFlag ? 1 : 0))
  return wanted
}

function isBootable(partition: number): boolean {
  const folder = '/mnt/candidate'
  mkdirSync(folder, { recursive: true })
  try {
    run('mount', '-t', 'vfat', '-o', 'ro', `${DISK}${partition}`, folder)
  } catch {
    // No file system: that is the answer.
    return false
  }
  const isThere = existsSync(join(folder, 'config.txt'))
  run('umount', folder)
  return isThere
}

/** Which system lies there whole, to the last byte of both partitions; null: none. */
function versionOf(partition: number): number | null {
  const root = firstBytes(rootOf(partition), ROOT_BYTES)
  const at = root.indexOf(MARK.slice(0, -4))
  const version = at < 0 ? Number.NaN : Number(root.toString('latin1', at + 12, at + 16))
  if (!Number.isInteger(version)) return null
  const whole = imagesOf(version)
  const isWhole = whole.root.equals(root) && whole.boot.equals(firstBytes(partition, BOOT_BYTES))
  return isWhole ? version : null
}

function firstBytes(partition: number, byteCount: number): Buffer {
  const file = openSync(`${DISK}${partition}`, 'r')
  const bytes = Buffer.alloc(byteCount)
  for (let at = 0; at < byteCount; ) {
    const count = readSync(file, bytes, at, byteCount - at, at)
    if (count === 0) break
    at += count
  }
  closeSync(file)
  return bytes
}

function portsOf(): OsPorts {
  const place = (number: number): OsPlace => ({
    number,
    partitions: {
      boot: new LinuxPartition(`${DISK}${number}`, libc),
      root: new LinuxPartition(`${DISK}${rootOf(number)}`, libc),
    },
  })
  const files = {
    bootFolder: AUTOBOOT,
    deviceTree: DEVICE_TREE,
    bootIdFile: '/proc/sys/kernel/random/boot_id',
  }
  const commands: RebootCommands = { onTrial: ['touch', FLAG], plain: ['true'] }
  return {
    disk: new LinuxSlotDisk(DATA, libc),
    keys,
    log: new SimulatedLog(),
    firmware: new LinuxFirmware(files, libc, commands),
    places: { a: place(2), b: place(3) },
    isAppOnTrial: async () => false,
  }
}

/** The machine is reset at the so manieth call to whatever is below the agent. */
function counted(real: OsPorts, calls: number): OsPorts {
  let left = calls
  const counting = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...words: unknown[]): unknown => {
          if (left-- === 0) reset({ isPowerCut: true })
          return Reflect.apply(value, target, words)
        }
      },
    })
  const place = ({ number, partitions }: OsPlace): OsPlace => ({
    number,
    partitions: { boot: counting(partitions.boot), root: counting(partitions.root) },
  })
  return {
    ...real,
    disk: counting(real.disk),
    firmware: counting(real.firmware),
    places: { a: place(real.places.a), b: place(real.places.b) },
  }
}

/** By turns: cut at a call, cut at a moment, and left alone until it asks for a reboot. */
async function live(): Promise<never> {
  const turn = boot % 3
  const agent = new OsAgent(turn === 2 ? counted(ports, (boot * CALLS_STEP) % CALLS_MAX) : ports)
  const status = await agent.status()
  // The first trial ends without a word, the second one does not pass, all others do.
  const trials = told('trial').length
  if (status.isTrial) tell(`trial ${running}`)
  if (status.isTrial && trials === 0) reset({ isPowerCut: true })
  if (status.isTrial && trials === 1) await agent.giveUp('a device does not answer')
  else {
    if (status.isTrial) {
      tell(`passed ${running}`)
      await agent.markGood()
      tell(`good ${running}`)
    }
    if (turn === 1) setTimeout(() => reset({ isPowerCut: true }), 1 + random() * CUT_MS_MAX)
    // The next one: whether the last one was written, or lost on the way, its number is used up.
    const wanted = Math.max(0, ...told('tried').map(Number)) + 1
    const bytes = imagesOf(wanted)
    tell(`tried ${wanted}`)
    const source = {
      async *open(part: OsPart) {
        for (let at = 0; at < bytes[part].length; at += 100_000)
          yield bytes[part].subarray(at, at + 100_000)
      },
    }
    await agent.write(imageOf(wanted), source, { progress: () => {}, isCancelled: () => false })
    tell(`written ${wanted}`)
    await agent.tryBoot()
    tell(`asked ${wanted}`)
  }
  reset({ isPowerCut: false })
  return new Promise(() => {})
}

async function judge(): Promise<void> {
  const before = await new TwoRecords(ports, osRecords).read()
  const status = await new OsAgent(ports).status()
  tellMet('a', before?.slots.a.kind)
  tellMet('b', before?.slots.b.kind)
  if (status.isTrial) tell('met a-trial-that-runs')
  const good = Number(told('good').at(-1) ?? 0)
  const allowed = [0, ...told('passed').map(Number)]
  const usual = versionOf(ports.places[status.usual].number)
  const bads: readonly [boolean, string][] = [
    [running === null, `partition ${started} is started, and is not whole`],
    [usual === null || !allowed.includes(usual), `${usual} stays, and has passed no gate`],
    [usual !== null && usual < good, `${usual} stays, and ${good} was good`],
    [status.running !== status.usual && !isFlagged(), 'a trial without a wish'],
  ]
  for (const [isBad, what] of bads) if (isBad) tell(`bad boot ${boot}: ${what}`)
  tell(`judged ${boot}`)
}

function tellMet(name: OsName, kind: OsSlot['kind'] | undefined): void {
  if (kind === undefined) return
  tell(`met ${kind}`)
  const isWhole = versionOf(ports.places[name].number) !== null
  if (kind === 'writing' && !isWhole) tell('met half-written')
}

function isFlagged(): boolean {
  return readFileSync(join(DEVICE_TREE, 'tryboot'))[3] === 1
}

/** Of the whole disk since the boot: the third number, of 512 bytes each (Documentation/block/stat.rst). */
function sectorsRead(): number {
  return Number(readFileSync('/sys/block/ubda/stat', 'utf8').trim().split(/\s+/)[2])
}

async function report(): Promise<void> {
  // Only here: the boots before have nothing to tell, and loading it takes longer than most that they do.
  const { default: t } = await import('tap')
  await t.test(
    'after every reset a whole system starts, and only what passed its gate stays',
    async t => {
      t.same(told('bad'), [])
      t.equal(told('judged').length, boots - 1)
      t.comment(`${boots - 1} resets`, counts('met'), counts('good'), counts('written'))
      t.ok(told('good').length > 0, 'systems were found good in between')
      for (const kind of ['writing', 'half-written', 'a-trial-that-runs', 'trial', 'failed'])
        t.ok(told('met').includes(kind), `a reset met ${kind}`)
    },
  )

  await t.test('what is verified is what is on the disk, not what memory holds', async t => {
    const { root } = ports.places[started === 2 ? 'a' : 'b'].partitions
    const options = { byteCount: ROOT_BYTES, head: new Uint8Array() }
    await root.sha256(options)
    const before = sectorsRead()
    await root.sha256(options)
    t.ok(sectorsRead() - before >= ROOT_BYTES / 512, `${sectorsRead() - before} sectors were read`)
    t.equal(await root.byteCount(), 8 * MEGABYTE)
  })

  await t.test('a partition that is mounted is not written to', async t => {
    run('mount', '-t', 'ext4', '-o', 'ro,noload', `${DISK}${rootOf(started)}`, '/mnt/candidate')
    const { root } = ports.places[started === 2 ? 'a' : 'b'].partitions
    await t.rejects(root.write(0, new Uint8Array(512)), { code: 'storage.io', message: /EBUSY/ })
    t.ok(statSync('/mnt/candidate/payload').size > 0, 'and is an ext4')
    run('umount', '/mnt/candidate')
  })
}

function counts(kind: string): Record<string, number> {
  const all: Record<string, number> = {}
  for (const word of told(kind)) all[word] = (all[word] ?? 0) + 1
  return all
}
