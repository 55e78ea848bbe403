/**
 * Two slots on a real block device with ext4, and a machine that is reset without a sync: after every nth call to the
 * disk, and in the middle of one. Runs once for each boot: LAB_BOOT says which it is. What the box was told "done" for is
 * noted outside of the machine, and so are the problems that a boot finds; the last boot tells.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedPrograms } from '../../drivers/simulated/programs.js'
import { compareVersions } from '../../ota/release/version-order.js'
import { chooseSlot } from '../../ota/slots/choice.js'
import type { Installer } from '../../ota/slots/installer.js'
import { SELF_TEST_WORDS } from '../../ota/slots/launcher-update.js'
import { SlotAgent } from '../../ota/slots/slot-agent.js'
import { atOnce, fullProblem } from '../../ota/slots/slot-check.js'
import { type Candidate, type Refusal, trialSlot } from '../../ota/slots/slot-state.js'
import { StateStore } from '../../ota/slots/state-store.js'
import { randomFrom } from '../../runtime/core/random.js'
import type { SlotDisk } from '../../runtime/ports/slot-disk.js'
import {
  plainInstaller,
  type SmallRelease,
  smallRelease,
  writeRelease,
} from '../ota/slots/small-release.js'
import { labSays } from './far-side.js'
import { countCalls, TrustLife } from './trust-life.js'

const DISK = '/dev/ubda'
const HOME = '/mnt/box'
const TRUST = join(HOME, 'ota/trust')
/** The store of trust takes some sixty calls a refresh: so each boot that counts them cuts another part of one. */
const TRUST_CALLS_STEP = 23
/** Of the host: what is here, no reset of the machine takes away. */
const TOLD = '/run/lab/told'
const boot = Number(labSays('LAB_BOOT'))
const boots = Number(process.env['LAB_OTA_BOOTS'] ?? 12)
const random = randomFrom(Number(process.env['LAB_OTA_SEED'] ?? 1) * 1_000 + boot)
/** One release after the other takes some ninety calls each: so a few boots see more than one, and some none. */
const CALLS_STEP = 53
const CALLS_MAX = 140
const CUT_MS_MAX = 1_500
/** What the last resets aim at, if none before them met it. */
const MUST_MEET = ['installing', 'trial']

const releaseOf = (number: number) =>
  smallRelease({
    version: `1.${number}.0`,
    floor: number % 2 === 0 ? `1.${number}.0` : null,
    behaviour: 'good',
    launcher: new TextEncoder().encode(`launcher ${number}`),
  })

const tell = (line: string): void => appendFileSync(TOLD, `${line}\n`)
const told = (kind: string): string[] =>
  (existsSync(TOLD) ? readFileSync(TOLD, 'utf8').split('\n') : [])
    .filter(line => line.startsWith(`${kind} `))
    .map(line => line.slice(kind.length + 1))

const missed = MUST_MEET[boot - boots + MUST_MEET.length] ?? ''
const aim = MUST_MEET.includes(missed) && !told('met').includes(missed) ? missed : null

mkdirSync(HOME, { recursive: true })
if (boot === 1) execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', DISK])
execFileSync('mount', ['-t', 'ext4', DISK, HOME])
const real = new LinuxSlotDisk(HOME, await openLibc())
const keys = new LinuxKeys()
const log = new SimulatedLog()
const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
const trust = new TrustLife(TRUST)

if (boot === 1) {
  writeRelease(join(HOME, 'slots/a'), releaseOf(0))
  await real.writeSynced('launcher.mjs', new TextEncoder().encode('launcher 0'))
  await real.syncTree('slots/a')
  await chosen(real)
} else await judge()

if (boot < boots) {
  // By turns: after so many calls, and at a moment that falls where it falls.
  const isCounted = boot % 2 === 1 && aim === null
  const isOfTrust = isCounted && boot % 6 === 3
  if (!isCounted && aim === null) setTimeout(reset, 1 + random() * CUT_MS_MAX)
  if (isOfTrust) countCalls(TRUST, 1 + ((boot * TRUST_CALLS_STEP) % CALLS_MAX), reset)
  if (isOfTrust || !isCounted)
    trust.live(step => tell(`trust ${step}`)).catch(error => tell(`bad boot ${boot}: ${error}`))
  if (!isOfTrust)
    await live(isCounted ? countdown(real, 1 + ((boot * CALLS_STEP) % CALLS_MAX)) : real)
} else await report()

/** No sync, no goodbye: what the kernel holds in memory is gone. */
function reset(): void {
  execFileSync('busybox', ['reboot', '-f', '-n'])
}

function countdown(disk: SlotDisk, calls: number): SlotDisk {
  let left = calls
  return new Proxy(disk, {
    get: (target, name: keyof SlotDisk) => {
      const call = target[name].bind(target)
      return (...words: Parameters<typeof call>) => {
        if (name !== 'pathOf' && left-- === 0) reset()
        return Reflect.apply(call, target, words)
      }
    },
  })
}

function portsOf(disk: SlotDisk) {
  const programs = new SimulatedPrograms(() => ({ hear: () => {} }))
  programs.outcome = { exitCode: 0, said: SELF_TEST_WORDS }
  return { disk, keys, log, programs, clock, store: new StateStore({ disk, keys, log }) }
}

/** Installs one release after the other, until the machine is reset. */
async function live(disk: SlotDisk): Promise<never> {
  const ports = portsOf(disk)
  for (;;) {
    const { slot } = await chosen(disk)
    const agent = new SlotAgent(ports, { slot, isPassedOver: false, isPreviousLauncher: false })
    const state = await ports.store.read()
    const current = state?.slots[slot]
    if (!state || !current || current.kind === 'empty') throw new Error('what runs is not there')
    if (trialSlot(state) === slot) {
      await agent.markGood()
      tell(`good ${current.release.version}`)
      if (current.release.floor !== null) tell(`floor ${current.release.floor}`)
    }
    await agent.takeLauncher()
    await tryNext(agent, nextRelease(current.release.version, state.refused))
  }
}

async function tryNext(agent: SlotAgent, next: SmallRelease): Promise<void> {
  const cutShort: Installer = { install: async () => reset() }
  await agent.install(next.release, aim === 'installing' ? cutShort : plainInstaller(next), {
    progress: () => {},
    isCancelled: () => false,
  })
  tell(`ready ${next.release.version}`)
  await agent.activate()
  tell(`trial ${next.release.version}`)
  if (aim === 'trial') reset()
}

/** One that the power went away from in every attempt is refused: as on a tour, its successor is tried then. */
function nextRelease(running: string, refused: readonly Refusal[]): SmallRelease {
  const next = releaseOf(Number(running.split('.')[1]) + 1)
  const isRefused = refused.some(({ digest }) => digest === next.release.digest)
  return isRefused ? nextRelease(next.release.version, refused) : next
}

async function chosen(disk: SlotDisk): Promise<Candidate> {
  const candidate = await chooseSlot(portsOf(disk), null)
  if (candidate === null) throw new Error('no slot starts')
  return candidate
}

async function judge(): Promise<void> {
  const ports = portsOf(real)
  const before = await ports.store.read()
  const kinds = [before?.slots.a.kind, before?.slots.b.kind]
  for (const kind of ['installing', 'trial', 'ready'])
    if (kinds.some(one => one === kind)) tell(`met ${kind}`)
  const { slot, release } = await chosen(real)
  const problem = await fullProblem(ports, slot, release.digest, { from: 'disk', pause: atOnce })
  const floor = (await ports.store.read())?.floor ?? '0.0.0'
  const isBelow = (version: string, kind: string): boolean =>
    compareVersions(version, told(kind).at(-1) ?? '0.0.0') < 0
  const words = new TextDecoder().decode((await real.read('launcher.mjs', 100)) ?? new Uint8Array())
  const bads: readonly [boolean, string][] = [
    [before === null, 'both records are gone'],
    [problem !== null, `${release.version} is started, and ${problem}`],
    [isBelow(floor, 'floor'), `the floor fell to ${floor}`],
    [isBelow(release.version, 'good'), `${release.version} is started, and a later one was good`],
    [!/^launcher \d+$/.test(words), `the launcher is "${words}"`],
  ]
  for (const [isBad, what] of bads) if (isBad) tell(`bad boot ${boot}: ${what}`)
  const forgotten = await trust.problemAfter(Number(told('trust').at(-1) ?? 1))
  tell(forgotten === null ? `trust ${trust.step}` : `bad boot ${boot}: trust: ${forgotten}`)
  tell(`judged ${boot}`)
}

/** Of the whole disk since the boot: the third number, of 512 bytes each (Documentation/block/stat.rst). */
function sectorsRead(): number {
  return Number(readFileSync('/sys/block/ubda/stat', 'utf8').trim().split(/\s+/)[2])
}

async function report(): Promise<void> {
  // Only here: the boots before have nothing to tell, and loading it takes longer than most that they do.
  const { default: t } = await import('tap')
  await t.test(
    'after every reset a complete slot starts, and nothing acknowledged is lost',
    async t => {
      t.same(told('bad'), [])
      t.equal(told('judged').length, boots - 1)
      t.comment(
        `${boots - 1} resets: ${told('good').length} releases found good, met ${told('met').join(' ')}`,
      )
      t.comment(`${told('trust').length} versions of what is trusted`)
      t.ok(told('trust').length > boots, 'what is trusted grew between the resets, too')
      t.ok(told('good').length > 0, 'releases were found good in between')
      t.ok(told('met').includes('installing'), 'a reset met an installation')
      t.ok(told('met').includes('trial'), 'a reset met a trial')
    },
  )

  await t.test('what is verified is what is on the disk, not what memory holds', async t => {
    const { slot, release } = await chosen(real)
    const victim = `slots/${slot}/program/main.js`
    const ports = portsOf(real)
    const check = (from: 'memory' | 'disk') =>
      fullProblem(ports, slot, release.digest, { from, pause: atOnce })
    t.equal(await check('memory'), null)
    const before = sectorsRead()
    t.equal(await check('memory'), null)
    t.equal(sectorsRead(), before, 'what memory holds is not read again')
    t.equal(await check('disk'), null)
    t.ok(sectorsRead() > before, 'and is let go of when the disk is asked')
    spoil(victim)
    t.match(await check('disk'), /main.js is not what was signed/)
    spoil(victim)
    t.equal(await check('disk'), null)
  })

  await t.test('what rots is mended from the other slot, or is not started any more', async t => {
    const { slot } = await chosen(real)
    const ports = portsOf(real)
    const agent = new SlotAgent(ports, { slot, isPassedOver: false, isPreviousLauncher: false })
    const anyTime = { pause: atOnce, makeSure: atOnce, mayReplace: () => true }
    // Whatever the last reset has left of the other one, it holds a release from here on.
    const target = await agent.care.copy(anyTime)
    t.comment(target === null ? 'the other slot holds another release' : 'it got a copy')
    spoil(`slots/${slot}/package.json`)
    t.equal(await agent.care.audit(slot, atOnce, anyTime), null, 'what both have is mended')
    spoil(`slots/${slot}/program/main.js`)
    const problem = await agent.care.audit(slot, atOnce, anyTime)
    t.equal(problem === null, target !== null, 'what is of this release only by a copy')
    const next = await chooseSlot(ports, null)
    t.equal(next?.slot === slot, target !== null)
    if (next === null) throw new Error('no slot starts')
    const from = { from: 'disk', pause: atOnce } as const
    t.equal(await fullProblem(ports, next.slot, next.release.digest, from), null)
  })
}

function spoil(file: string): void {
  const bytes = readFileSync(join(HOME, file))
  writeFileSync(join(HOME, file), bytes.fill((bytes[0] ?? 0) ^ 1, 0, 1))
}
