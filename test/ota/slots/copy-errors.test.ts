/**
 * A copy while the card refuses a single call, whichever it is: it may fail and be told, but the box starts what it ran,
 * half a copy is never called good, and the next one comes about.
 */
import t from 'tap'
import type { SimulatedSlotDisk } from '../../../drivers/simulated/slot-disk.js'
import { HALF_FILE } from '../../../ota/slots/mending.js'
import { SlotAgent } from '../../../ota/slots/slot-agent.js'
import { atOnce, fullProblem } from '../../../ota/slots/slot-check.js'
import { BoxError } from '../../../runtime/core/errors.js'
import type { SlotDisk } from '../../../runtime/ports/slot-disk.js'
import { anyTime, type Boot, startedWith, unhurried } from './simulated-slots.js'
import { smallRelease } from './small-release.js'

const CALLS_MAX = 500
/** The gate takes a part of the calls; `EVERY=1` takes all. */
const EVERY = Number(process.env['EVERY'] ?? 5)
const made = (version: string) =>
  smallRelease({ version, floor: null, behaviour: 'good', launcher: null })
const [one, two] = [made('1.0.0'), made('1.1.0')]
const fromDisk = { from: 'disk', pause: atOnce } as const

/** 1.0.0 runs from a; 1.1.0 in b was kept, and given back. */
async function givenBack(): Promise<{ disk: SimulatedSlotDisk; boot: Boot }> {
  const { disk, boot } = await startedWith(one)
  await boot.agent('a').install(two.release, boot.installer(two), unhurried)
  await boot.agent('a').activate()
  await boot.choose()
  await boot.agent('b').markGood()
  await boot.agent('b').rollBack('lamps flicker')
  await boot.choose()
  return { disk, boot }
}

/** From the nth call on so many fail. */
function failing(disk: SlotDisk, { code, at, times }: Fault, reached: { calls: number }): SlotDisk {
  const strike = async (): Promise<void> => {
    reached.calls++
    if (reached.calls >= at && reached.calls < at + times)
      throw new BoxError(code, `${code} at ${at}`)
  }
  const struck = async <T>(work: () => Promise<T>): Promise<T> => strike().then(work)
  return {
    read: (name, max) => struck(() => disk.read(name, max)),
    writeSynced: (name, bytes) => struck(() => disk.writeSynced(name, bytes)),
    copy: (from, to, wishes) => struck(() => disk.copy(from, to, wishes)),
    rename: (from, to) => struck(() => disk.rename(from, to)),
    remove: name => struck(() => disk.remove(name)),
    list: folder => struck(() => disk.list(folder)),
    sha256: (name, from) => struck(() => disk.sha256(name, from)),
    removeTree: folder => struck(() => disk.removeTree(folder)),
    syncTree: folder => struck(() => disk.syncTree(folder)),
    pathOf: name => disk.pathOf(name),
  }
}

interface Fault {
  readonly code: 'storage.io' | 'storage.full'
  readonly at: number
  readonly times: number
}

const never: Fault = { code: 'storage.io', at: Number.POSITIVE_INFINITY, times: 0 }
const started = { slot: 'a', isPassedOver: false, isPreviousLauncher: false } as const

async function tried(fault: Fault) {
  const { disk, boot } = await givenBack()
  const reached = { calls: 0 }
  const { keys, log } = boot.choice
  const { programs, clock } = boot
  const ports = { keys, log, programs, clock, disk: failing(boot.disk, fault, reached) }
  const agent = new SlotAgent(ports, started)
  const problems: string[] = []
  let hasFailed = false
  await agent.care.copy(anyTime).catch((error: unknown) => {
    if (!(error instanceof BoxError)) throw error
    hasFailed = true
  })
  if (hasFailed && agent.care.copyTrouble === null) problems.push('it is not told')
  const next = await boot.choose()
  if (next?.release.version !== '1.0.0') problems.push(`${next?.release.version} is started`)
  const { slots } = await boot.agent('a').status()
  for (const name of ['a', 'b'] as const) {
    const slot = slots[name]
    if (slot.kind !== 'good') continue
    const problem = await fullProblem(boot.choice, name, slot.release.digest, fromDisk)
    if (problem !== null) problems.push(`slot ${name} is called good, and ${problem}`)
  }
  const last = boot.agent(next?.slot ?? 'a')
  await last.care.copy(anyTime)
  const end = await last.status()
  if (end.standIn === null || end.wayBack !== null) problems.push('no copy in the end')
  if (disk.has(HALF_FILE)) problems.push('half a file is left')
  return { problems, hasFailed, calls: reached.calls }
}

t.test('a card that refuses any call of a copy, once or from then on, darkens no box', async t => {
  const { calls } = await tried(never)
  t.ok(calls > 50 && calls < CALLS_MAX, `${calls} calls`)
  const bads: string[] = []
  let failed = 0
  for (const code of ['storage.io', 'storage.full'] as const)
    for (const times of [1, CALLS_MAX])
      for (let at = 1; at <= calls; at += EVERY) {
        const { problems, hasFailed } = await tried({ code, at, times })
        if (hasFailed) failed++
        bads.push(...problems.map(problem => `${code} at ${at}, ${times} times: ${problem}`))
      }
  t.comment({ calls, failed })
  t.same(bads.slice(0, 20), [])
  t.ok(EVERY * failed > calls, `${failed} failed`)
})
