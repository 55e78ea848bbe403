/** The updater of this machine, as the command line sees it. */
import { join } from 'node:path'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { askDoor } from '../../drivers/linux/control-door.js'
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

/** A look at a slow repository takes its time. */
const PATIENCE_MS = 120_000

export interface OtaLink {
  /** @throws CliFailure when the updater refuses or cannot be reached */
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
  ).catch((error: unknown) => {
    if (!(error instanceof BoxError)) throw error
    throw new CliFailure(
      exitCodes.unreachable,
      `no updater runs in ${home}: ${error.message}. It belongs to boxes that the launcher started; name its folder with --home or ROADCASE_HOME`,
      { cause: error },
    )
  })
  const answer = check(otaAnswer, JSON.parse(said), 'answer')
  if (answer.kind === 'done') return answer.reply
  const { message, code } = answer.refusal
  throw new CliFailure(exitCodes.refused, `${message} (${code})`)
}
