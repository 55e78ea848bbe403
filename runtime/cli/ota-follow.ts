/** What takes longer than one answer of the updater, which ends and starts again in the middle of it. */
import type { OtaReply } from '../core/ota-control.js'
import { CliFailure, exitCodes } from './failure.js'
import { type OtaLink, UpdaterAway } from './ota-link.js'
import { progressText } from './ota-text.js'
import { type Paint, printable, type Terminal } from './terminal.js'

const LOOK_MS = 500
/** Longer than any release takes over any line that is worth it. */
const LOOKS_MAX = (6 * 3_600_000) / LOOK_MS
/** Of the updater: a slot is verified before it starts, and a release that ends three times is three starts. */
const AWAY_MS_MAX = 120_000
/** What was just asked for is in the state a moment later; of a force, the box is asked first. */
const WAITS_LOOKS = 2
const WAITS_LOOKS_FORCED = 10

type State = NonNullable<OtaReply['state']>
type Started = OtaReply & { readonly state: State }

/**
 * Shows how it goes until the release runs and is kept, or something is in the way that a person has to know. Ctrl-C
 * ends the showing, not the work.
 * @param say told a line whenever it is another one
 * @throws CliFailure when the box went back, or waits; UpdaterAway when the updater does not come back
 */
export async function followApply(
  link: OtaLink,
  { terminal, paint, isForced }: { terminal: Terminal; paint: Paint; isForced: boolean },
): Promise<void> {
  let told = ''
  const say = (text: string): void => {
    if (text !== told) terminal.write(`${text}\n`)
    told = text
  }
  let wanted: State['candidate'] = null
  let refused: State['refused'] | null = null
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { state } = await askPatiently(link, () => say('the updater starts again'))
    wanted = state.candidate ?? wanted
    refused ??= state.refused
    if (isOver(state, look, isForced ? WAITS_LOOKS_FORCED : WAITS_LOOKS)) {
      checkKept(state, wanted, refused)
      if (state.phase === 'waiting')
        throw new CliFailure(exitCodes.waiting, progressText(state, paint))
      say(progressText(state, paint))
      return
    }
    if (state.phase !== 'waiting') say(progressText(state, paint))
    await link.pause(LOOK_MS)
  }
}

function isOver(state: State, look: number, waitsLooks: number): boolean {
  return state.phase === 'idle' || (state.phase === 'waiting' && look > waitsLooks)
}

/**
 * @param refused before it was followed: such a one was not tried
 * @throws CliFailure when the release that was followed has failed here
 */
function checkKept(state: State, wanted: State['candidate'], refused: State['refused']): void {
  if (state.running?.digest === wanted?.digest) return
  const isWanted = ({ digest }: { digest: string }): boolean => digest === wanted?.digest
  const failed = state.refused.find(isWanted)
  if (failed !== undefined && !refused.some(isWanted))
    throw new CliFailure(
      exitCodes.refused,
      `${failed.version} was not kept, ${state.running?.version ?? 'nothing'} runs: ${printable(failed.why)}`,
    )
}

/**
 * Goes back, and waits for the updater when it ends with the release before it has answered.
 * @throws CliFailure when it is refused, or the release that was to be left runs still
 */
export async function rollBack(link: OtaLink, reason: string): Promise<OtaReply> {
  const before = (await link.ask({ ask: 'status' })).state?.running ?? null
  try {
    return await link.ask({ ask: 'rollback', reason })
  } catch (error) {
    if (!(error instanceof UpdaterAway && error.wasHeard)) throw error
  }
  const after = await askPatiently(link, () => {})
  const { running } = after.state
  const left = before?.version ?? 'the release'
  if (running?.digest === before?.digest)
    throw new CliFailure(
      exitCodes.refused,
      `${left} runs still: the updater ended before it answered; ask again`,
    )
  const words = `${running?.version ?? 'another release'} runs again, ${left} is not taken again until it is cleared`
  return { ...after, words }
}

/**
 * @param missed told each time that nobody is there, or only just
 * @throws UpdaterAway when nobody comes back
 */
async function askPatiently(link: OtaLink, missed: () => void): Promise<Started> {
  for (let awayMs = 0; ; awayMs += LOOK_MS) {
    const reply = await link.ask({ ask: 'status' }).catch((error: unknown) => {
      if (error instanceof UpdaterAway && awayMs < AWAY_MS_MAX) return null
      throw error
    })
    if (reply !== null && hasStarted(reply)) return reply
    if (awayMs >= AWAY_MS_MAX)
      throw new UpdaterAway('the updater has started, and says nothing of the slots', false)
    missed()
    await link.pause(LOOK_MS)
  }
}

const hasStarted = (reply: OtaReply): reply is Started => reply.state !== null
