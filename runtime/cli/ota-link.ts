/** The updater of this machine, as the command line sees it. */
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { askDoor } from '../../drivers/linux/control-door.js'
import { hasCode } from '../../drivers/linux/errno.js'
import { BoxError } from '../core/errors.js'
import {
  CONTROL_FILE,
  CONTROL_LINE_BYTES_MAX,
  type OtaReply,
  type OtaRequest,
  otaAnswer,
} from '../core/ota-control.js'
import { check } from '../core/schema.js'
import { after } from '../core/time.js'
import { CliFailure, exitCodes } from './failure.js'

interface Away extends ErrorOptions {
  readonly wasHeard: boolean
  readonly mayReturn: boolean
}

/** Nobody is at the updater's door, or it ended before it answered. */
export class UpdaterAway extends CliFailure {
  /** It was asked: it may have done it. */
  readonly wasHeard: boolean
  /** The folder is that of a box, whose launcher starts it again. */
  readonly mayReturn: boolean

  constructor(message: string, { wasHeard, mayReturn, ...options }: Away) {
    super(exitCodes.unreachable, message, options)
    this.wasHeard = wasHeard
    this.mayReturn = mayReturn
  }
}

/** A look at a slow repository takes its time. */
const PATIENCE_MS = 120_000

export interface OtaLink {
  /** @throws UpdaterAway when there is none; CliFailure when it refuses, or this user may not ask it */
  ask(request: OtaRequest): Promise<OtaReply>
  /** Resolves so many milliseconds later. */
  pause(ms: number): Promise<void>
}

/** @param home the folder of the slots */
export function otaLink(home: string): OtaLink {
  const clock = new LinuxClock(ownAnchor())
  return {
    ask: request => ask(home, request),
    pause: ms => new Promise(resolve => void clock.runAt(after(clock.monotonicMs(), ms), resolve)),
  }
}

async function ask(home: string, request: OtaRequest): Promise<OtaReply> {
  const limits = { lineBytesMax: CONTROL_LINE_BYTES_MAX, patienceMs: PATIENCE_MS }
  const said = await askDoor(
    join(home, 'ota', CONTROL_FILE),
    JSON.stringify(request),
    limits,
  ).catch(async (error: unknown) => {
    if (!(error instanceof BoxError)) throw error
    throw awayFrom(home, error, { isReadOnly: await isReadOnly(home), isBox: await isBox(home) })
  })
  const answer = check(otaAnswer, JSON.parse(said), 'answer')
  if (answer.kind === 'done') return answer.reply
  const { message, code } = answer.refusal
  throw new CliFailure(exitCodes.refused, `${message} (${code})`)
}

/** On a card that takes no writes there can be no door, whether an updater runs or not. */
const isReadOnly = (home: string): Promise<boolean> =>
  access(home, constants.W_OK).then(
    () => false,
    (error: unknown) => hasCode(error, 'EROFS'),
  )

const isBox = (home: string): Promise<boolean> =>
  access(join(home, 'slots')).then(
    () => true,
    () => false,
  )

interface Home {
  /** It may not be written, by nobody. */
  readonly isReadOnly: boolean
  readonly isBox: boolean
}

export function awayFrom(home: string, error: BoxError, known: Home): CliFailure {
  if (hasCode(error.cause, 'EACCES'))
    return new CliFailure(
      exitCodes.unreachable,
      `this user may not ask the updater in ${home}: do it as the user of the box, or with sudo`,
      { cause: error },
    )
  if (error.code === 'storage.limit')
    return new CliFailure(exitCodes.unreachable, error.message, { cause: error })
  if (error.code === 'link.timeout')
    return new CliFailure(
      exitCodes.unreachable,
      `the updater in ${home} is busy: ${error.message}; ask again`,
      { cause: error },
    )
  if (known.isReadOnly && error.cause !== undefined)
    return new UpdaterAway(
      `nobody can be asked in ${home}: the card takes no writes (EROFS). The log of the updater says more; change the card`,
      { wasHeard: false, mayReturn: false, cause: error },
    )
  // Only a failed call has a cause; a line that ends early has none.
  const wasHeard = error.cause === undefined
  const mayReturn = !wasHeard && known.isBox
  return new UpdaterAway(wordsOf(home, error, { wasHeard, mayReturn }), {
    ...{ wasHeard, mayReturn, cause: error },
  })
}

function wordsOf(home: string, error: BoxError, { wasHeard, mayReturn }: Away): string {
  if (wasHeard)
    return `the updater in ${home} ended before it answered: ask for its status in a moment`
  return mayReturn
    ? `the updater in ${home} does not answer: ${error.message}. The launcher starts it; does it run?`
    : `no updater runs in ${home}: ${error.message}. It belongs to boxes that the launcher started; name its folder with --home or ROADCASE_HOME`
}

const AGAIN_MS = 500
/** Ten seconds: a switch, or a launcher that starts it again. */
const AGAIN_MAX = 20

/** As its `ask`, and while it is started again nobody has to say it twice. */
export async function askSoon(link: OtaLink, request: OtaRequest): Promise<OtaReply> {
  for (let times = 0; ; times++) {
    try {
      return await link.ask(request)
    } catch (error) {
      if (!(error instanceof UpdaterAway && error.mayReturn) || times === AGAIN_MAX) throw error
      await link.pause(AGAIN_MS)
    }
  }
}
