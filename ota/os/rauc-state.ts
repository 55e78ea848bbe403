/**
 * What RAUC says of its slots, in the words of os-state.ts: two systems, of which one runs. Here the boot loader counts how
 * often what is new is started, so what a plain reboot starts does not tell a trial; the records do.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { RaucBundle, RaucSlot, RaucStatus } from '../../runtime/ports/rauc.js'
import {
  forget,
  isBundle,
  isTorn,
  type OsFacts,
  type OsName,
  type OsState,
  osNames,
  otherOs,
  refusal,
  type SlotImage,
  settle,
  startedUnasked,
  withSlot,
} from './os-state.js'

export interface RaucPlace {
  /** What the boot loader starts. */
  readonly slot: string
  /** That one, and all that belong to it. */
  readonly slots: readonly RaucSlot[]
}

export interface RaucView {
  readonly running: OsName
  /** What RAUC would start with a plain reboot; null: none of the two. */
  readonly primary: OsName | null
  readonly places: Readonly<Record<OsName, RaucPlace>>
  readonly bootId: string
}

/** @throws BoxError `os.unsupported` for a machine that has not two systems, or runs from neither */
export function viewOf(status: RaucStatus, bootId: string): RaucView {
  const booted = status.slots.find(({ isBooted }) => isBooted)
  if (booted === undefined) throw unsupported('it does not run from one of its slots')
  const pair = status.slots
    .filter(one => one.isBootable && one.parent === null && one.slotClass === booted.slotClass)
    .map(({ name }) => name)
    .sort()
  const [a, b, ...more] = pair
  if (a === undefined || b === undefined || more.length > 0)
    throw unsupported(`${pair.length} slots of the class ${booted.slotClass}, where two are needed`)
  const place = (slot: string): RaucPlace => ({ slot, slots: groupOf(status.slots, slot) })
  const nameOf = (slot: string | null): OsName | null =>
    slot === a || slot === b ? (slot === a ? 'a' : 'b') : null
  const running = nameOf(booted.name)
  if (running === null) throw unsupported(`${booted.name} is not what the boot loader starts`)
  return { running, primary: nameOf(status.primary), places: { a: place(a), b: place(b) }, bootId }
}

/** Of a root, what belongs to it, what belongs to that, and so on. */
function groupOf(slots: readonly RaucSlot[], root: string): RaucSlot[] {
  const names = new Set([root])
  // Each round finds at least one, or was the last.
  for (let before = 0; before < names.size; ) {
    before = names.size
    for (const { name, parent } of slots) if (parent !== null && names.has(parent)) names.add(name)
  }
  return slots.filter(({ name }) => names.has(name))
}

/** What os-state.ts calls usual is where a trial that nobody finds good ends. */
export function raucFacts(state: OsState, { running, bootId }: RaucView): OsFacts {
  const isPending = ['trial', 'written', 'writing'].includes(state.slots[running].kind)
  return { running, usual: isPending ? otherOs(running) : running, bootId }
}

/** What runs was refused and starts all the same, because the boot loader gave up on the good one. */
export const isStray = ({ slots }: OsState, { running }: RaucView): boolean =>
  slots[running].kind === 'failed' && slots[otherOs(running)].kind === 'good'

/** What the last boots mean. To be done first, and with every look: it may be done any number of times. */
export function settleRauc(known: OsState, view: RaucView): OsState {
  let state = known
  for (const name of osNames) if (isReplaced(state, view, name)) state = forget(state, name)
  const slot = state.slots[view.running]
  // Somebody else made it the primary one; and it is what was signed. So let the gate judge.
  if (slot.kind === 'written') {
    const { image, attempts } = slot
    state = withSlot(state, view.running, startedUnasked(image, attempts))
  }
  return settle(state, raucFacts(state, view))
}

/** Whether somebody else has installed another system there. */
function isReplaced(state: OsState, view: RaucView, name: OsName): boolean {
  const slot = state.slots[name]
  if (slot.kind === 'unknown' || slot.kind === 'writing' || isTorn(slot)) return false
  if (slot.image === null || !isBundle(slot.image)) return false
  return pairsOf(slot.image.slots, view.places[name]).some(([image, { content }]) => {
    if (content.kind === 'broken') return name !== view.running
    return content.kind === 'installed' && content.sha256 !== image.sha256
  })
}

/** @throws BoxError `os.refused` for a bundle that is not for this machine, or does not bring the system itself */
export function slotImagesOf(
  bundle: RaucBundle,
  status: RaucStatus,
  place: RaucPlace,
): readonly SlotImage[] {
  if (bundle.compatible !== status.compatible)
    throw refusal(`the bundle is for ${bundle.compatible}, and this is ${status.compatible}`)
  const found: SlotImage[] = []
  for (const { name, slotClass } of place.slots) {
    const images = bundle.images.filter(image => image.slotClass === slotClass)
    const own = images.find(({ variant }) => variant !== null && variant === status.variant)
    const image = own ?? images.find(({ variant }) => variant === null)
    if (image === undefined && name === place.slot)
      throw refusal(`the bundle has no image for ${slotClass}`)
    if (image === undefined) continue
    const { byteCount, sha256, isVerbatim } = image
    found.push({ slotClass, byteCount, sha256, isReadable: isVerbatim })
  }
  return found
}

/** Null: RAUC says that it has installed all of these. */
export function contentProblem(images: readonly SlotImage[], place: RaucPlace): string | null {
  const pairs = pairsOf(images, place)
  if (pairs.length === 0 || pairs.length < images.length) return 'RAUC has not written it'
  for (const [image, { name, content }] of pairs) {
    if (content.kind === 'unsaid') return `RAUC does not say what is in ${name}`
    if (content.kind === 'broken') return `RAUC has not finished ${name}`
    if (content.sha256 !== image.sha256) return `RAUC says that ${name} holds something else`
  }
  return null
}

/** What is to be in a slot, beside the slot. */
export const pairsOf = (
  images: readonly SlotImage[],
  { slots }: RaucPlace,
): (readonly [SlotImage, RaucSlot])[] =>
  images.flatMap(image => {
    const slot = slots.find(({ slotClass }) => slotClass === image.slotClass)
    return slot ? [[image, slot] as const] : []
  })

/** Null: what runs is not there by mistake. */
export function whyStray(state: OsState, view: RaucView): string | null {
  if (!isStray(state, view)) return null
  const { running } = view
  return `system ${running} runs although it failed: the next reboot leads to ${otherOs(running)}`
}

const unsupported = (why: string): BoxError => new BoxError('os.unsupported', `RAUC: ${why}`)
