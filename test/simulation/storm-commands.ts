/** What people and programs ask in a bad hour: mostly sense, some of it twice, late, early, or by somebody replaced. */
import type { ShowState } from '../../runtime/services/show/state.js'
import type { ShowCommand } from '../../runtime/topics.js'
import { cueIds, sceneIds, targets } from './storm-show.js'

type Asked = Omit<ShowCommand, 'origin'>
type Words = Omit<Asked, 'id'>

export interface Circumstances {
  /** Show time. */
  readonly nowMs: number
  readonly state: ShowState
  readonly before: readonly Asked[]
  readonly newId: () => string
}

const REPEATED = 0.09

export function drawCommand(
  random: () => number,
  { nowMs, state, before, newId }: Circumstances,
): Asked {
  const again = before[before.length - 1 - Math.floor(random() * 10)]
  if (again && random() < REPEATED) return again
  // Who panics calms down again: most of the evening must not be spent in panic.
  const isReleased = state.panic.isOn && random() < 0.4
  const words = isReleased ? { action: 'release' as const } : drawWords(random)
  return { id: newId(), ...words, ...drawMoment(random, words, nowMs), ...drawEpoch(random, state) }
}

function drawWords(random: () => number): Words {
  const one = <T>(list: readonly T[], otherwise: T): T =>
    list[Math.floor(random() * list.length)] ?? otherwise
  const fadeMs = Math.floor(random() * 1_500)
  const draws: readonly (readonly [share: number, words: () => Words])[] = [
    [26, () => ({ action: 'go' })],
    [6, () => ({ action: 'back' })],
    [5, () => ({ action: 'goto', cue: one(cueIds, '1') })],
    [16, () => ({ action: 'fire', cue: one(cueIds, '1') })],
    [9, () => ({ action: 'scene', scene: one(sceneIds, 'house'), fadeMs })],
    [12, () => ({ action: 'level', target: one(targets, 'all'), level: random(), fadeMs })],
    [6, () => ({ action: 'clear', target: one(targets, 'all'), fadeMs })],
    [2, () => ({ action: 'clear' })],
    [6, () => ({ action: 'blackout', on: random() < 0.4, fadeMs })],
    [4, () => ({ action: 'panic' })],
    [3, () => ({ action: 'release' })],
    [2, () => ({ action: 'arm' })],
    [1, () => ({ action: 'disarm' })],
    [2, () => ({ action: 'fire', cue: 'nowhere' })],
  ]
  let left = random() * draws.reduce((sum, [share]) => sum + share, 0)
  for (const [share, words] of draws) {
    left -= share
    if (left < 0) return words()
  }
  return { action: 'go' }
}

/** Some say when: a little ahead, or so long ago that the cue's late policy decides. */
function drawMoment(
  random: () => number,
  { action }: Words,
  nowMs: number,
): { readonly atShowMs?: number } {
  const isTimed = ['go', 'fire', 'scene', 'level'].includes(action)
  if (!isTimed || random() > 0.2) return {}
  const aheadMs = random() < 0.6 ? random() * 3_000 : -random() * 4_000
  return { atShowMs: nowMs + aheadMs }
}

function drawEpoch(random: () => number, { epoch }: ShowState): { readonly epoch?: number } {
  const draw = random()
  if (draw < 0.03) return { epoch: epoch + 1 }
  return draw < 0.06 && epoch > 0 ? { epoch: epoch - 1 } : {}
}
