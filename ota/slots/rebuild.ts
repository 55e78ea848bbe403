/**
 * What is known when both state records are gone: only the slots themselves. Two complete releases: the newer one is on
 * trial, so that it proves itself or gives way. One, or one twice: it is what there is.
 */

import { MANIFEST_BYTES_MAX, MANIFEST_FILE } from '../release/manifest.js'
import { isFields, isVersion } from './sealed-lines.js'
import type { CheckPorts } from './slot-check.js'
import { atOnce, fullProblem, readSeal, slotFolder } from './slot-check.js'
import {
  higher,
  noSlots,
  otherSlot,
  type Release,
  type SlotName,
  type State,
  slotNames,
} from './slot-state.js'

const RELEASE_BYTES_MAX = 64 * 1024

export async function rebuildState(ports: CheckPorts): Promise<State> {
  const found = new Map<SlotName, Release>()
  let floor: string | null = null
  for (const slot of slotNames) {
    const sealed = await readSeal(ports, slot)
    floor = higher(floor, sealed?.floor ?? null)
    const release = await releaseIn(ports, slot)
    if (release !== null) found.set(slot, release)
  }
  const [a, b] = [found.get('a'), found.get('b')]
  if (a && b) return { ...noSlots, floor, ...both(a, b) }
  const [only] = [...found]
  if (only === undefined) return { ...noSlots, floor }
  const [slot, release] = only
  return {
    ...noSlots,
    floor,
    chosen: slot,
    slots: { ...noSlots.slots, [slot]: { kind: 'good', release } },
  }
}

function both(a: Release, b: Release): Pick<State, 'slots' | 'chosen'> {
  const good = { a: { kind: 'good', release: a }, b: { kind: 'good', release: b } } as const
  if (a.digest === b.digest) return { slots: good, chosen: 'a' }
  const newer = higher(a.version, b.version) === b.version ? 'b' : 'a'
  const trial = { kind: 'trial', release: good[newer].release, attempts: 0 } as const
  return { slots: { ...good, [newer]: trial }, chosen: otherSlot(newer) }
}

/** Null unless every byte of it is right. */
async function releaseIn(ports: CheckPorts, slot: SlotName): Promise<Release | null> {
  const folder = slotFolder(slot)
  const manifest = await ports.disk
    .read(`${folder}/${MANIFEST_FILE}`, MANIFEST_BYTES_MAX)
    .catch(() => null)
  if (manifest === null) return null
  const digest = ports.keys.sha256Hex(manifest)
  if ((await fullProblem(ports, slot, digest, { from: 'memory', pause: atOnce })) !== null)
    return null
  const text = await ports.disk.read(`${folder}/release.json`, RELEASE_BYTES_MAX)
  const version = text && versionIn(text)
  return version === null ? null : { digest, version, floor: null }
}

function versionIn(bytes: Uint8Array): string | null {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
  return isFields(value) && isVersion(value['version']) ? value['version'] : null
}
