/** What takes longer than one answer of the updater, which ends and starts again in the middle of it. */
import type { OtaReply } from '../core/ota-control.js'
import { CliFailure, exitCodes } from './failure.js'
import { askSoon, type OtaLink, UpdaterAway } from './ota-link.js'
import { progressText, systemProgressText } from './ota-text.js'
import { type Paint, printable, type Terminal } from './terminal.js'

const LOOK_MS = 500
/** Longer than any release takes over any line that is worth it. */
const LOOKS_MAX = (6 * 3_600_000) / LOOK_MS
/** Of the updater: a slot is verified before it starts, and a release that ends three times is three starts. */
const AWAY_MS_MAX = 120_000
/** What was just asked for is in the state a moment later; of a force, the box is asked first. */
const WAITS_LOOKS = 2
const WAITS_LOOKS_FORCED = 10
/** Nothing is in the way, and the next turn of the updater takes it. */
const TURNS_LOOKS = 20_000 / LOOK_MS
/** The other boxes fetch and write as this one does; of one that does not get ready a person has to know. */
const OTHERS_LOOKS = 120_000 / LOOK_MS

type State = NonNullable<OtaReply['state']>
type Started = OtaReply & { readonly state: State }

/**
 * Shows how it goes until the release runs and is kept, or something is in the way that a person has to know; and the
 * operating system until the box reboots into it. Ctrl-C ends the showing, not the work.
 * @throws CliFailure when the box went back, or waits; UpdaterAway when the updater does not come back
 */
export async function followApply(
  link: OtaLink,
  { terminal, paint, isForced }: { terminal: Terminal; paint: Paint; isForced: boolean },
): Promise<void> {
  const lines = new Lines(terminal, paint)
  const waitsLooks = isForced ? WAITS_LOOKS_FORCED : WAITS_LOOKS
  const patience = new Patience(waitsLooks)
  let wanted: State['candidate'] = null
  let refused: State['refused'] | null = null
  let systemLooks = 0
  for (let look = 0; look < LOOKS_MAX; look++) {
    const { state } = await askPatiently(link, () => lines.say('the updater starts again'))
    wanted = state.candidate ?? wanted
    refused ??= state.refused
    const isReleaseOver = patience.isOver(state)
    // Between two of its steps the system waits for a moment.
    systemLooks = isReleaseOver && !isAtWork(state.os) ? systemLooks + 1 : 0
    if (isReleaseOver && (isSettled(state.os) || systemLooks > waitsLooks)) {
      checkKept(state, wanted, refused)
      checkLooked(state, wanted)
      return tellEnd(state, lines, paint)
    }
    lines.tellWork(state)
    await link.pause(LOOK_MS)
  }
}

/** @throws CliFailure when one of both waits */
function tellEnd(state: State, lines: Lines, paint: Paint): void {
  const release = progressText(state, paint)
  const system = isSettled(state.os) ? null : systemProgressText(state.os, paint)
  if (state.phase !== 'waiting') lines.say(release)
  const waiting = [state.phase === 'waiting' ? release : null, system].filter(text => text !== null)
  if (waiting.length > 0) throw new CliFailure(exitCodes.waiting, waiting.join('\n'))
}

/** Of the release and of the operating system, each when it is another one. */
class Lines {
  readonly #terminal: Terminal
  readonly #paint: Paint
  #told = ''
  #toldOfSystem: string | null = null
  #work = ''
  #isStalled = false

  constructor(terminal: Terminal, paint: Paint) {
    this.#terminal = terminal
    this.#paint = paint
  }

  tellWork(state: State): void {
    if (isAtWork(state) || isForOthers(state)) this.#sayWork(progressText(state, this.#paint))
    this.#sayStall(state.unmet.find(({ name }) => name === 'pieces')?.words ?? null)
    if (isAtWork(state.os)) this.#saySystem(state.os)
  }

  say(text: string): void {
    if (text !== this.#told) this.#terminal.write(`${text}\n`)
    this.#told = text
  }

  #sayWork(text: string): void {
    if (text !== this.#work) this.say(text)
    this.#work = text
  }

  /** Once: the seconds in it grow. */
  #sayStall(words: string | null): void {
    if (words !== null && !this.#isStalled) this.say(printable(words))
    this.#isStalled = words !== null
  }

  #saySystem(os: State['os']): void {
    const text = systemProgressText(os, this.#paint)
    if (text !== null && text !== this.#toldOfSystem) this.#terminal.write(`${text}\n`)
    this.#toldOfSystem = text
  }
}

/** How long a release may wait before it is told that it does, since it was at work last. */
class Patience {
  readonly #waitsLooks: number
  #looks = 0
  #othersLooks = 0

  constructor(waitsLooks: number) {
    this.#waitsLooks = waitsLooks
  }

  isOver(state: State): boolean {
    if (state.phase === 'idle') return true
    if (state.phase !== 'waiting') {
      this.#looks = 0
      return false
    }
    if (isForOthers(state)) return ++this.#othersLooks > OTHERS_LOOKS
    return ++this.#looks > (state.unmet.length === 0 ? TURNS_LOOKS : this.#waitsLooks + 1)
  }
}

/** Nothing is in the way here: the boxes of a venue that switch together get ready. */
const isForOthers = ({ phase, unmet }: State): boolean =>
  phase === 'waiting' && unmet.length > 0 && unmet.every(({ name }) => name === 'venue')

const isAtWork = (state: Pick<State, 'phase'> | State['os']): boolean =>
  state !== null && state.phase !== 'idle' && state.phase !== 'waiting'

/** No operating system is under way, or will be. */
const isSettled = (os: State['os']): boolean => os === null || os.phase === 'idle'

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

/** @throws CliFailure when there was nothing to take, and nobody could be asked whether that is so still */
function checkLooked({ running, checked }: State, wanted: State['candidate']): void {
  if (wanted !== null || checked === null || checked.isFresh) return
  throw new CliFailure(
    exitCodes.unreachable,
    `${running?.version ?? 'no release'} runs, and whether another release is ordered is not known: ${printable(checked.words)}`,
  )
}

/**
 * Goes back, and waits for the updater when it ends with the release before it has answered.
 * @throws CliFailure when it is refused, or the release that was to be left runs still
 */
export async function rollBack(link: OtaLink, reason: string): Promise<OtaReply> {
  const before = (await askSoon(link, { ask: 'status' })).state?.running ?? null
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
      throw new UpdaterAway('the updater has started, and says nothing of the slots', {
        ...{ wasHeard: false, mayReturn: false },
      })
    missed()
    await link.pause(LOOK_MS)
  }
}

const hasStarted = (reply: OtaReply): reply is Started => reply.state !== null
