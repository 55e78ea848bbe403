/**
 * The launcher's own way to be updated, slower than that of the slots: only a release that was found good brings one. It
 * proves itself in a start of its own, takes the place by a rename, and the one before it is kept beside. It runs from
 * the next time on that the launcher is started.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Programs } from '../../runtime/ports/programs.js'
import { type CheckPorts, slotFolder } from './slot-check.js'
import type { SlotName } from './slot-state.js'

export const LAUNCHER_FILE = 'launcher.mjs'
export const PREVIOUS_LAUNCHER_FILE = 'launcher.previous.mjs'
const NEXT_FILE = 'launcher.next.mjs'
const PREVIOUS_NEXT_FILE = 'launcher.previous.next.mjs'
const LAUNCHER_BYTES_MAX = 4 * 1024 * 1024
const SELF_TEST_MS_MAX = 60_000

/** With which a launcher reads the slots as at a start, writes and starts nothing, and says that it could. */
export const SELF_TEST = '--self-test'
export const SELF_TEST_WORDS = 'launcher: self-test passed'

export interface LauncherUpdatePorts extends CheckPorts {
  readonly programs: Programs
  readonly log: Log
}

export interface LauncherPast {
  /** How it came out last: what failed its test is not tried again and again; null: not yet. */
  readonly last: LauncherUpdate | null
  /** The launcher in place failed, and the one before it runs: that is the one to keep. */
  readonly isPreviousRunning: boolean
}

export type LauncherUpdate =
  | { readonly kind: 'same' | 'taken' }
  /** `said`: the end of what it wrote. */
  | { readonly kind: 'refused'; readonly digest: string; readonly said: string }

/**
 * Killed at any moment it leaves the old launcher or the new one in place, and may be called again.
 * @param slot the one that was found good
 */
export async function takeLauncher(
  ports: LauncherUpdatePorts,
  slot: SlotName,
  { last, isPreviousRunning }: LauncherPast,
): Promise<LauncherUpdate> {
  const { disk, keys, programs, log } = ports
  const offered = await disk.read(`${slotFolder(slot)}/${LAUNCHER_FILE}`, LAUNCHER_BYTES_MAX)
  const current = await disk.read(LAUNCHER_FILE, LAUNCHER_BYTES_MAX)
  if (offered === null) return { kind: 'same' }
  const digest = keys.sha256Hex(offered)
  if (current !== null && keys.sha256Hex(current) === digest) return { kind: 'same' }
  if (last?.kind === 'refused' && last.digest === digest) return last
  await disk.writeSynced(NEXT_FILE, offered)
  if ((await disk.sha256(NEXT_FILE, 'disk')) !== digest)
    throw new BoxError('slot.rotten', `${NEXT_FILE} is not what was written`)
  const outcome = await programs.run(
    {
      node: null,
      words: [disk.pathOf(NEXT_FILE), SELF_TEST],
      folder: disk.pathOf(''),
      environment: {},
    },
    SELF_TEST_MS_MAX,
  )
  if (outcome?.exitCode !== 0 || !outcome.said.includes(SELF_TEST_WORDS)) {
    const said = outcome?.said ?? 'it did not end'
    log.error('launcher.refused', { slot, said })
    await disk.remove(NEXT_FILE)
    return { kind: 'refused', digest, said }
  }
  if (current !== null && !isPreviousRunning) {
    await disk.writeSynced(PREVIOUS_NEXT_FILE, current)
    await disk.rename(PREVIOUS_NEXT_FILE, PREVIOUS_LAUNCHER_FILE)
  }
  await disk.rename(NEXT_FILE, LAUNCHER_FILE)
  log.info('launcher.taken', { slot, digest })
  return { kind: 'taken' }
}
