/**
 * The life of a box that gets new operating systems: one that is good, one that resets without a word, one that does not pass
 * its gate; told by what the box knows, so that it goes on wherever the last boot was cut.
 */
import type { OsImage } from '../../../ota/os/os-state.js'
import type { OsStatus, OsSystem } from '../../../ota/os/os-system.js'
import type { OsSource } from '../../../ota/os/os-writer.js'
import type { Cancel } from '../../../runtime/ports/clock.js'
import { FOREVER, unhurried } from './os-world.js'

const BOOTS_MAX = 40

export interface LivedOs {
  readonly image: OsImage
  readonly source: OsSource
}

export interface Systems<S extends LivedOs> {
  readonly factory: S
  readonly second: S
  /** Resets by its watchdog before anybody can judge. */
  readonly silent: S
  /** Comes up, and does not pass its gate. */
  readonly faulty: S
}

/** What the box has been told "done" for: it survives cuts, since people remember. */
export interface Told<S extends LivedOs> {
  good: S
  readonly passed: Set<S>
  readonly refused: Set<S>
}

export const toldNothing = <S extends LivedOs>({ factory }: Systems<S>): Told<S> => ({
  good: factory,
  passed: new Set(),
  refused: new Set(),
})

export interface LivedBoot<S extends LivedOs> {
  readonly running: S
  readonly isTrialBoot: boolean
  readonly agent: () => Promise<OsSystem>
}

export interface LivedWorld<S extends LivedOs> {
  readonly disk: { readonly calls: number; readonly powerCut: { listen(hear: () => void): Cancel } }
  /** Power comes back. @throws Error when what starts is not whole */
  start(callsUntilPowerCut: number): LivedBoot<S>
}

type Ending = 'reboots' | 'done'

/** @returns `done`: it came to its end; else in which boot the power went */
export async function live<S extends LivedOs>(
  world: LivedWorld<S>,
  { systems, told }: { systems: Systems<S>; told: Told<S> },
  calls: number,
): Promise<'done' | { isTrialBoot: boolean }> {
  let callsLeft = calls
  for (let boots = 0; boots < BOOTS_MAX; boots++) {
    const { running, isTrialBoot, agent } = world.start(callsLeft)
    let isCut = false
    const cancel = world.disk.powerCut.listen(() => {
      isCut = true
    })
    const life = liveOnce(running, agent, { systems, told })
    const ending = await untilCut(life, () => isCut)
    cancel()
    if (ending === null) return { isTrialBoot }
    if (ending === 'done') return 'done'
    callsLeft -= world.disk.calls
  }
  throw new Error('it does not come to its end')
}

async function liveOnce<S extends LivedOs>(
  running: S,
  start: () => Promise<OsSystem>,
  { systems, told }: { systems: Systems<S>; told: Told<S> },
): Promise<Ending> {
  if (running === systems.silent) return 'reboots'
  const agent = await start()
  for (;;) {
    const ending = await step(running, agent, { systems, told })
    if (ending !== 'more') return ending
  }
}

/** One thing after the other, each from what the box knows. */
async function step<S extends LivedOs>(
  running: S,
  agent: OsSystem,
  { systems, told }: { systems: Systems<S>; told: Told<S> },
): Promise<Ending | 'more'> {
  const { second, silent, faulty } = systems
  const status = await agent.status()
  if (status.isTrial) return judgeTrial(running, agent, { systems, told })
  if (told.passed.has(running)) told.good = running
  for (const one of [silent, faulty]) if (isRefused(status, one)) told.refused.add(one)
  const wanted = [second, silent, faulty].find(one => one !== running && !told.refused.has(one))
  if (wanted === undefined || (wanted === second && told.good === second)) return 'done'
  await agent.write(wanted.image, wanted.source, unhurried)
  await agent.tryBoot(async () => null)
  return 'reboots'
}

async function judgeTrial<S extends LivedOs>(
  running: S,
  agent: OsSystem,
  { systems: { faulty }, told }: { systems: Systems<S>; told: Told<S> },
): Promise<Ending | 'more'> {
  const reason = await agent.whyNotGood()
  if (running === faulty || reason !== null) {
    await agent.giveUp(reason ?? 'a device does not answer')
    return 'reboots'
  }
  // From here on the choice may have been made.
  told.passed.add(running)
  await agent.markGood()
  told.good = running
  return 'more'
}

export const isRefused = ({ refused }: OsStatus, { image }: LivedOs): boolean =>
  refused.some(({ digest }) => digest === image.digest)

/** A call from before the cut never returns, so the life just stands still: null. */
async function untilCut(life: Promise<Ending>, isCut: () => boolean): Promise<Ending | null> {
  let ending: Ending | null = null
  const ended = life.then(value => {
    ending = value
  })
  while (ending === null && !isCut()) await Promise.race([ended, turn()])
  return isCut() ? null : ending
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export interface CutLife<S extends LivedOs> {
  readonly systems: Systems<S>
  readonly told: Told<S>
  /** @returns whether it came to its end before the power went, after so many calls */
  lived(calls: number): Promise<boolean>
  /** What does not hold, in words. */
  judge(): Promise<readonly string[]>
  cut(): void
}

/** A life that is cut once, and then goes on to its end. Null: it ended before that. */
export async function cutOnce<S extends LivedOs>(
  { systems, told, ...life }: CutLife<S>,
  calls: number,
): Promise<readonly string[] | null> {
  if (await life.lived(calls)) return null
  life.cut()
  const atOnce = await life.judge()
  if (atOnce.length > 0) return atOnce
  const isLived = await life.lived(FOREVER)
  const atItsEnd = await life.judge()
  const bads: readonly [boolean, string][] = [
    [!isLived, 'the power went by itself'],
    [told.good !== systems.second, 'the good system was never reached'],
    [told.refused.size < 2, 'a bad system was never refused'],
  ]
  return [...atItsEnd, ...bads.flatMap(([isBad, what]) => (isBad ? what : []))]
}
