/** Which operating system a tour orders for this board: its order for them, and the description that it names. */
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import {
  checkOsDescription,
  checkOsOrder,
  osDescriptionTarget,
  osOrderTarget,
} from '../os/os-description.js'
import type { OsLook } from './os-parts.js'

const ORDER_BYTES_MAX = 64 * 1024
const DESCRIPTION_BYTES_MAX = 1024 * 1024

/** A target that is signed for, from the source that was believed, or as it was kept. */
export interface SignedTargets {
  /** Null where nobody who may has signed it. @throws BoxError, or an error whose message is for people */
  read(wanted: {
    readonly path: string
    /** Where it is kept. */
    readonly cache: string
    readonly byteCountMax: number
    readonly what: string
  }): Promise<{ readonly value: unknown; readonly isTimeKnown: boolean } | null>
  /** Whether an error only says why something is missing. */
  isMissing(error: unknown): boolean
}

export interface OsOrdersOptions {
  readonly tour: string
  readonly architecture: string
  /** Null while the box has not said it. */
  readonly board: () => string | null
}

const nothing = (words: string): OsLook => ({ words, order: null, isBoardUnknown: false })

/** Never throws for what a source says. */
export async function lookForOs(targets: SignedTargets, options: OsOrdersOptions): Promise<OsLook> {
  try {
    return await look(targets, options)
  } catch (error) {
    if (!(error instanceof BoxError) && !targets.isMissing(error)) throw error
    return nothing(messageOf(error))
  }
}

async function look(
  targets: SignedTargets,
  { tour, architecture, board: boardOf }: OsOrdersOptions,
): Promise<OsLook> {
  const ordered = await targets.read({
    path: osOrderTarget(tour),
    cache: 'os-order.json',
    byteCountMax: ORDER_BYTES_MAX,
    what: `the order of ${tour} for operating systems`,
  })
  if (ordered === null) return nothing(`${tour} orders no operating system`)
  const order = checkOsOrder(ordered.value)
  if (order.tour !== tour) return nothing(`the order for operating systems is for ${order.tour}`)
  const board = boardOf()
  if (board === null)
    return { ...nothing('the box does not say on which board it runs'), isBoardUnknown: true }
  const version = order.systems[board]
  if (version === undefined) return nothing(`${tour} orders no operating system for ${board}`)
  const what = `the description of the operating system ${version}`
  const described = await targets.read({
    path: osDescriptionTarget(board, version),
    cache: 'os-description.json',
    byteCountMax: DESCRIPTION_BYTES_MAX,
    what,
  })
  if (described === null) return nothing(`${what} for ${board} is not signed by anybody who may`)
  const description = checkOsDescription(described.value)
  if (description.version !== version || description.architecture !== architecture)
    return nothing(
      `what is signed as the operating system ${version} says that it is ${description.version} for ${description.architecture}`,
    )
  return {
    words: `the operating system ${version} is ordered`,
    order: { description, isTimeKnown: ordered.isTimeKnown && described.isTimeKnown },
    isBoardUnknown: false,
  }
}
