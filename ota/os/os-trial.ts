/** What becomes of a system on trial, and what must wait for it. */
import { type GateOutcome, unmet } from '../slots/gate.js'
import type { OsStatus, OsSystem } from './os-system.js'

export type OsVerdict = 'no-trial' | 'good' | 'given-up'

/**
 * To be called once after each start of the updater, beside whatever else it does: a system on trial is found good by the
 * gate that releases pass, too, or left with a reboot. It must pass on its own, with the release that ran before it.
 * @param gate ends within its own deadline
 * @throws BoxError whatever the agent throws; a reboot that is refused leaves the trial on until the next one
 */
export async function judgeTrial(
  agent: Pick<OsSystem, 'status' | 'whyNotGood' | 'markGood' | 'giveUp'>,
  gate: () => Promise<GateOutcome>,
): Promise<OsVerdict> {
  const { isTrial } = await agent.status()
  if (!isTrial) return 'no-trial'
  const reason = (await agent.whyNotGood()) ?? (await failureOf(gate))
  if (reason === null) {
    await agent.markGood()
    return 'good'
  }
  await agent.giveUp(reason)
  return 'given-up'
}

async function failureOf(gate: () => Promise<GateOutcome>): Promise<string | null> {
  const { isPassed, criteria } = await gate()
  return isPassed ? null : unmet(criteria).join('; ')
}

/** Why no release is tried now; null: because of the systems one may be. */
export function whyNoAppTrial({ isTrial, isGoingDown, running }: OsStatus): string | null {
  if (isTrial) return `operating system ${running} is on trial`
  return isGoingDown ? 'the box is about to start another operating system' : null
}
