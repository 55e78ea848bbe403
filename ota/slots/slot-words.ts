/** What is told of each slot to whoever looks: what is in it, how it was found, and what is done about it. */
import type { Found } from './findings.js'
import { isBelowFloor, isCopy, isRefused, otherSlot, type SlotName, wayBack } from './slot-state.js'
import type { SlotStatus } from './slot-status.js'

export interface SlotContent {
  readonly kind: 'empty' | 'writing' | 'ready' | 'trial' | 'good' | 'failed'
  readonly version: string | null
  /** It holds what runs, from the other slot: against rot. */
  readonly isCopy: boolean
  /** Since every byte of it was last read from the card; null: not since the start, or there is nothing to read. */
  readonly readMinutes: number | null
  /** What was found damaged then, and is still; null: nothing. */
  readonly damage: string | null
  /** All of it in a sentence. */
  readonly words: string
}

const LETTERS_MAX = 1024
const MS_PER_MINUTE = 60_000
const MINUTES_PER_HOUR = 60

export const slotContents = (status: SlotStatus): { a: SlotContent; b: SlotContent } => ({
  a: slotContent(status, 'a'),
  b: slotContent(status, 'b'),
})

function slotContent(status: SlotStatus, name: SlotName): SlotContent {
  const slot = status.slots[name]
  const isOne = isCopy(slot, status.slots[otherSlot(name)]) && name !== status.running
  const found = status.found[name]
  const told = [
    whatWords(status, name, isOne),
    healthWords(found, slot.kind),
    comingWords(status, name),
  ]
  return {
    kind: slot.kind === 'installing' ? 'writing' : slot.kind,
    version: slot.kind === 'empty' ? null : slot.release.version,
    isCopy: isOne,
    readMinutes: found && Math.floor(found.agoMs / MS_PER_MINUTE),
    damage: found?.problem ?? null,
    words: told
      .filter(words => words !== null)
      .join('; ')
      .slice(0, LETTERS_MAX),
  }
}

function whatWords(status: SlotStatus, name: SlotName, isOne: boolean): string {
  const slot = status.slots[name]
  if (slot.kind === 'empty') return 'empty'
  const { version } = slot.release
  switch (slot.kind) {
    case 'installing':
      return isOne ? copyingWords(status, version) : `${version}, half written`
    case 'ready':
      return `${version}, written and not tried yet`
    case 'trial':
      return `${version}, on trial`
    case 'failed':
      return `${version}, not to be started: ${slot.why}`
    case 'good':
      return isOne ? `copy of ${version}` : `${version}, ${goodWords(status, name)}`
  }
}

const copyingWords = ({ copying }: SlotStatus, version: string): string =>
  copying.isUnderWay
    ? `copy of ${version}, being written`
    : `copy of ${version}, half written: it goes on when nobody is disturbed`

function goodWords(status: SlotStatus, name: SlotName): string {
  const slot = status.slots[name]
  if (name === status.running) return 'runs'
  if (slot.kind !== 'good') return slot.kind
  if (isRefused(status, slot.release)) return 'refused here'
  if (isBelowFloor(status, slot.release)) return `below the floor, ${status.floor}`
  if (name === status.chosen) return 'to be started next'
  const words = wayBack(status, otherSlot(name)) === name ? 'to go back to' : 'good'
  return name === status.toTry ? `${words}, and to be tried anew` : words
}

function healthWords(found: Found | null, kind: string): string | null {
  if (!['ready', 'trial', 'good'].includes(kind)) return null
  if (found === null) return 'not read as a whole since the start'
  const ago = spanWords(Math.floor(found.agoMs / MS_PER_MINUTE))
  return found.problem === null ? `whole, read ${ago}` : `damaged, read ${ago}: ${found.problem}`
}

function spanWords(minutes: number): string {
  if (minutes < 1) return 'just now'
  if (minutes < MINUTES_PER_HOUR) return `${minutes} min ago`
  return `${Math.floor(minutes / MINUTES_PER_HOUR)} h ${minutes % MINUTES_PER_HOUR} min ago`
}

/** Of a copy that is wanted here, and not begun. */
function comingWords({ copying, running, slots }: SlotStatus, name: SlotName): string | null {
  const own = running && slots[running]
  if (copying.place !== name || own?.kind !== 'good' || slots[name].kind === 'installing')
    return null
  const { version } = own.release
  if (copying.trouble !== null) return `no copy of ${version} yet: it is tried again`
  return `a copy of ${version} follows when nobody is disturbed`
}
