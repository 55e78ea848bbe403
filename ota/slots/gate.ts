/**
 * The health gate of a trial: what must be true of the box, all of it at once and for a while, before its release is
 * found good. Each criterion has words for people, so that "why" can list every one that is not met.
 */
import { messageOf } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import type { BoxApi, BoxReport } from '../../runtime/ports/box-api.js'
import type { Clock, MonotonicMs } from '../../runtime/ports/clock.js'

export const criterionNames = ['ready', 'devices', 'broker', 'clock', 'peers', 'hub'] as const
export type CriterionName = (typeof criterionNames)[number]

export interface Criterion {
  readonly name: CriterionName
  readonly state: 'met' | 'unmet' | 'not-required'
  readonly words: string
}

export interface GateNeeds {
  /** Devices that did not answer under the release before, either: no fault of the new one. */
  readonly faultyBefore: readonly string[]
  /** Other boxes that must be heard; 0 where none is required. */
  readonly peersMin: number
  readonly isHubNeeded: boolean
  /** Whether the clock must be sound; where the release before had none, it need not. */
  readonly isClockNeeded: boolean
}

export const nothingMore: GateNeeds = {
  faultyBefore: [],
  peersMin: 0,
  isHubNeeded: false,
  isClockNeeded: true,
}

export interface GateOptions {
  readonly needs: GateNeeds
  readonly deadlineMs: number
  /** How long all of it must hold without a break. */
  readonly steadyMs: number
  readonly everyMs: number
}

export const usualGate: Omit<GateOptions, 'needs'> = {
  deadlineMs: 60_000,
  steadyMs: 5_000,
  everyMs: 1_000,
}

export interface GateOutcome {
  readonly isPassed: boolean
  /** As last seen. */
  readonly criteria: readonly Criterion[]
}

/**
 * Asks the box until it has been well for `steadyMs`, or the deadline is over.
 * @param tell hears of every look, for the launcher and for `roadcase ota why`
 */
export async function runGate(
  { box, clock }: { box: BoxApi; clock: Clock },
  options: GateOptions,
  tell: (criteria: readonly Criterion[]) => void,
): Promise<GateOutcome> {
  const deadline = after(clock.monotonicMs(), options.deadlineMs)
  let wellSince: MonotonicMs | null = null
  for (;;) {
    const criteria = await look(box, options.needs)
    const now = clock.monotonicMs()
    tell(criteria)
    if (unmet(criteria).length > 0) wellSince = null
    else wellSince ??= now
    if (wellSince !== null && now - wellSince >= options.steadyMs)
      return { isPassed: true, criteria }
    if (now >= deadline) return { isPassed: false, criteria }
    await new Promise<void>(resolve => {
      clock.runAt(after(now, options.everyMs), resolve)
    })
  }
}

/** In words, one a criterion that is not met. */
export const unmet = (criteria: readonly Criterion[]): readonly string[] =>
  criteria.filter(({ state }) => state === 'unmet').map(({ name, words }) => `${name}: ${words}`)

async function look(box: BoxApi, needs: GateNeeds): Promise<readonly Criterion[]> {
  try {
    return judge(await box.report(), needs)
  } catch (error) {
    const words = `the box does not answer: ${messageOf(error)}`
    return criterionNames.map(name => criterion(name, name === 'ready' ? false : null, words))
  }
}

export function judge(report: BoxReport, needs: GateNeeds): readonly Criterion[] {
  return [
    criterion('ready', report.isReady, report.isReady ? 'the box is ready' : 'it is not ready yet'),
    devicesOf(report, needs),
    brokerOf(report),
    clockOf(report, needs),
    peersOf(report, needs),
    hubOf(report, needs),
  ]
}

function devicesOf({ devices }: BoxReport, { faultyBefore }: GateNeeds): Criterion {
  const silent = devices.filter(({ isAnswering }) => !isAnswering)
  const fresh = silent.filter(({ name }) => !faultyBefore.includes(name))
  if (fresh.length > 0) {
    const words = fresh.map(({ name, problem }) => `${name} (${problem ?? 'silent'})`).join(', ')
    return criterion('devices', false, `${fresh.length} do not answer: ${words}`)
  }
  const known = silent.length === 0 ? '' : `, ${silent.length} were silent before, too`
  return criterion('devices', true, `${devices.length - silent.length} answer${known}`)
}

function brokerOf({ isBrokerLooping }: BoxReport): Criterion {
  if (isBrokerLooping === null) return criterion('broker', null, "the broker is somebody else's")
  const words = isBrokerLooping ? 'a message came back' : 'no message came back'
  return criterion('broker', isBrokerLooping, words)
}

function clockOf({ clock }: BoxReport, { isClockNeeded }: GateNeeds): Criterion {
  if (clock === null || !isClockNeeded) return criterion('clock', null, 'no clock is asked for')
  return criterion('clock', clock.isSound, clock.words)
}

function peersOf({ peersHeard }: BoxReport, { peersMin }: GateNeeds): Criterion {
  if (peersMin === 0) return criterion('peers', null, 'no other box is asked for')
  const heard = peersHeard ?? 0
  return criterion('peers', heard >= peersMin, `${heard} of ${peersMin} other boxes are heard`)
}

function hubOf({ isHubSeen }: BoxReport, { isHubNeeded }: GateNeeds): Criterion {
  if (!isHubNeeded) return criterion('hub', null, 'no hub is asked for')
  return criterion('hub', isHubSeen === true, isHubSeen === true ? 'seen' : 'not seen')
}

/** @param isMet null: it is not asked for, or nobody can tell before the box answers */
function criterion(name: CriterionName, isMet: boolean | null, words: string): Criterion {
  if (isMet === null) return { name, state: 'not-required', words }
  return { name, state: isMet ? 'met' : 'unmet', words }
}
