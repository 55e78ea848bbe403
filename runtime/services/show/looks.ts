/** From what a person writes about outputs and groups to one aim per output. */
import { suggestion } from '../../core/nearest.js'
import {
  type Aim,
  type Components,
  componentCounts,
  type LightKind,
  type Output,
} from './checked-show.js'
import type { Draft, Path } from './draft.js'
import type { Look, Looks } from './format.js'
import { type Color, colorOfHue, white } from './words.js'

/** The components that show `color` at `level`; the white part of a color goes to the white lamp where there is one. */
export function componentsOf(kind: LightKind, level: number, color: Color): Components {
  const [red, green, blue] = color
  switch (kind) {
    case 'switch':
    case 'dimmer':
      return [level]
    case 'rgb':
      return [red * level, green * level, blue * level]
    case 'rgbw': {
      const whitePart = Math.min(red, green, blue)
      return [red - whitePart, green - whitePart, blue - whitePart, whitePart].map(
        part => part * level,
      )
    }
  }
}

export const dark = (kind: LightKind): Components =>
  new Array<number>(componentCounts[kind]).fill(0)

export function componentsOfLook(kind: LightKind, look: Look): Components {
  if (typeof look === 'number') return componentsOf(kind, look, white)
  const color = look.color ?? (look.hue === undefined ? white : colorOfHue(look.hue))
  return componentsOf(kind, look.level ?? 1, color)
}

export const hasColor = (kind: LightKind): boolean => kind === 'rgb' || kind === 'rgbw'

/** Complains about a look that cannot be shown by any of the outputs. */
export function checkLook(draft: Draft, kinds: readonly LightKind[], look: Look, path: Path): void {
  if (typeof look === 'number') return
  const { level, color, hue } = look
  if (level === undefined && color === undefined && hue === undefined)
    draft.problems.add(path, 'must have a level, a color or a hue')
  if (color !== undefined && hue !== undefined)
    draft.problems.add([...path, 'hue'], 'must be left out where there is a color')
  if ((color !== undefined || hue !== undefined) && !kinds.some(hasColor))
    draft.problems.add(
      [...path, color === undefined ? 'hue' : 'color'],
      `needs an rgb or rgbw output; this is a ${[...new Set(kinds)].join(' and a ')}`,
    )
}

/** The outputs behind a name, or null after saying that there are none. */
export function findTarget(draft: Draft, target: string, path: Path): readonly Output[] | null {
  const output = draft.outputs.get(target)
  if (output) return [output]
  const group = draft.groups.get(target)
  if (group) return group
  const known = [...draft.outputs.keys(), ...draft.groups.keys()]
  draft.problems.add(
    path,
    draft.captures.has(target)
      ? 'is a capture, which has no level'
      : `is not an output or group${suggestion(target, known)}`,
  )
  return null
}

/** What one output gets, from which name, and how many outputs that name stands for. */
interface Claim<T> {
  readonly value: T
  readonly target: string
  readonly size: number
}

/**
 * Gives every output what is said of it most specifically: its own entry before that of a group, a small group before a
 * large one. The order in which they are written does not matter; a tie is an error.
 */
export function mostSpecific<T>(
  draft: Draft,
  entries: Readonly<Record<string, T>>,
  path: Path,
  check: (outputs: readonly Output[], value: T, path: Path) => void,
): Map<Output, T> {
  const claims = new Map<Output, Claim<T>>()
  for (const [target, value] of Object.entries(entries)) {
    const at = [...path, target]
    const outputs = findTarget(draft, target, at) ?? []
    if (outputs.length > 0) check(outputs, value, at)
    const size = draft.groups.has(target) ? outputs.length + 1 : 1
    for (const output of outputs) stake(draft, claims, output, { value, target, size }, at)
  }
  return new Map([...claims].map(([output, claim]) => [output, claim.value]))
}

function stake<T>(
  draft: Draft,
  claims: Map<Output, Claim<T>>,
  output: Output,
  claim: Claim<T>,
  path: Path,
): void {
  const earlier = claims.get(output)
  if (earlier?.size === claim.size)
    draft.problems.add(
      path,
      `also sets ${output.name}, as "${earlier.target}" does: give ${output.name} an entry of its own`,
    )
  if (!earlier || claim.size < earlier.size) claims.set(output, claim)
}

/** One aim per output that is named, by itself or through a group. */
export function aimsOf(draft: Draft, looks: Looks, path: Path): Aim[] {
  const found = mostSpecific(draft, looks, path, (outputs, look, at) =>
    checkLook(
      draft,
      outputs.map(({ kind }) => kind),
      look,
      at,
    ),
  )
  return [...found].map(([output, look]) => ({
    output: output.index,
    to: componentsOfLook(output.kind, look),
  }))
}
