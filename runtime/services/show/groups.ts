/** Groups: names for several outputs at once. Groups may hold groups; a group never holds itself. */
import { suggestion } from '../../core/nearest.js'
import type { CapturePatch, Output } from './checked-show.js'
import type { Problems } from './draft.js'
import type { ShowDocument } from './format.js'

interface PatchContext {
  readonly document: ShowDocument
  readonly problems: Problems
  readonly outputs: ReadonlyMap<string, Output>
  readonly captures: ReadonlyMap<string, CapturePatch>
}

interface GroupContext extends Omit<PatchContext, 'document'> {
  /** A map: a group may be called `constructor`. */
  readonly members: ReadonlyMap<string, readonly string[]>
}

/** Each group's outputs, nested ones unfolded, each output once. */
export function readGroups({ document, ...rest }: PatchContext): Map<string, readonly Output[]> {
  const context = { ...rest, members: new Map(Object.entries(document.groups)) }
  for (const [group, members] of context.members) {
    if (Object.hasOwn(document.patch, group))
      context.problems.add(['groups', group], 'has the name of an output: choose another')
    for (const [index, member] of members.entries()) checkMember(context, group, member, index)
  }
  return new Map(
    [...context.members.keys()].map(group => [group, [...unfold(context, group, [], new Map())]]),
  )
}

function checkMember(context: GroupContext, group: string, member: string, index: number): void {
  const { members, problems, outputs, captures } = context
  if (outputs.has(member) || members.has(member)) return
  const known = [...outputs.keys(), ...members.keys()]
  problems.add(
    ['groups', group, index],
    captures.has(member)
      ? `names ${member}, which is a capture`
      : `names ${member}, which is not an output or group${suggestion(member, known)}`,
  )
}

/** `known` keeps what was unfolded, so that many groups that share members cost no more than their number. */
function unfold(
  context: GroupContext,
  group: string,
  above: readonly string[],
  known: Map<string, ReadonlySet<Output>>,
): ReadonlySet<Output> {
  const earlier = known.get(group)
  if (earlier) return earlier
  const found = new Set<Output>()
  const path = [...above, group]
  for (const [index, member] of (context.members.get(group) ?? []).entries()) {
    const output = context.outputs.get(member)
    if (output) found.add(output)
    else if (path.includes(member)) reportLoop(context, path, member, index)
    else for (const inner of unfold(context, member, path, known)) found.add(inner)
  }
  known.set(group, found)
  return found
}

/** A loop is reported where it closes, for a walk that began inside it: a group that only leads into it is not at fault. */
function reportLoop(
  context: GroupContext,
  path: readonly string[],
  member: string,
  index: number,
): void {
  if (member === path[0])
    context.problems.add(
      ['groups', path.at(-1) ?? member, index],
      `holds itself: ${[...path, member].join(' > ')}`,
    )
}
