/** What the schema of box.json cannot see of its packs. Pure. */
import type { Problem } from '../../core/errors.js'
import { suggestion } from '../../core/nearest.js'

interface NamedPack {
  readonly name: string
  readonly gauge: string
  readonly channel: number
}

/** @param packCounts of the box's gauges, by name */
export function powerProblems(
  packs: readonly NamedPack[],
  packCounts: ReadonlyMap<string, number>,
): readonly Problem[] {
  // The history of all packs together has this name.
  const names = new Set(['all'])
  const places = new Set<string>()
  return packs.flatMap(({ name, gauge, channel }, index) => {
    const path = `box.power.packs[${index}]`
    const problem = (key: string, message: string): Problem => ({
      path: `${path}.${key}`,
      message,
      place: null,
    })
    const problems: Problem[] = []
    const count = packCounts.get(gauge)
    if (count === undefined)
      problems.push(
        problem(
          'gauge',
          `there is no gauge "${gauge}" among the devices${suggestion(gauge, [...packCounts.keys()])}`,
        ),
      )
    else if (channel >= count)
      problems.push(
        problem('channel', `"${gauge}" measures ${count} pack${count === 1 ? '' : 's'}, from 0 on`),
      )
    if (names.has(name)) problems.push(problem('name', `another pack is called "${name}"`))
    if (places.has(`${gauge}/${channel}`))
      problems.push(problem('channel', `another pack is on channel ${channel} of "${gauge}"`))
    names.add(name)
    places.add(`${gauge}/${channel}`)
    return problems
  })
}
