/** What becomes of a system on trial, and what must wait for it. */
import type { OsStatus, OsSystem } from './os-system.js'

export type OsVerdict = 'no-trial' | 'waits' | 'good' | 'given-up'

export interface OsGate {
  readonly judgement: 'waits' | 'passed' | 'failed'
  /** What is not met, in words. */
  readonly unmet: readonly string[]
}

/**
 * To be called again and again after each start of the updater: a system on trial is found good by the gate that releases
 * pass, too, or left with a reboot. It must pass on its own, with the release that ran before it.
 * @param gate a look; ends within its own deadline, and never with `failed` while a show is armed
 * @param isArmed nothing is restarted
 * @throws BoxError whatever the system throws; a reboot that is refused leaves the trial on until the next one
 */
export async function judgeTrial(
  system: Pick<OsSystem, 'status' | 'whyNotGood' | 'markGood' | 'giveUp'>,
  gate: () => Promise<OsGate>,
  isArmed: boolean,
): Promise<OsVerdict> {
  const { isTrial } = await system.status()
  if (!isTrial) return 'no-trial'
  const foreign = await system.whyNotGood()
  if (foreign !== null && isArmed) return 'waits'
  const { judgement, unmet } = foreign === null ? await gate() : failedBy(foreign)
  if (judgement === 'waits') return 'waits'
  if (judgement === 'passed') await system.markGood()
  else await system.giveUp(unmet.join('; '))
  return judgement === 'passed' ? 'good' : 'given-up'
}

const failedBy = (why: string): OsGate => ({ judgement: 'failed', unmet: [why] })

/** Why no release is tried now; null: because of the systems one may be. */
export function whyNoAppTrial({ isTrial, isGoingDown, running }: OsStatus): string | null {
  if (isTrial) return `operating system ${running} is on trial`
  return isGoingDown ? 'the box is about to start another operating system' : null
}
