/** The calls of one run, as strace lists them, after each of which another run is killed. */
export interface Point {
  readonly call: string
  readonly count: number
}

/**
 * strace counts calls by thread, so a count that another thread reaches sooner would kill too early: only those are
 * taken that reach the place first.
 * @param place a part of the paths that count
 */
export function pointsOf(trace: string, place: string): Point[] {
  const counts = new Map<string, number>()
  const reached = new Set<string>()
  const points: Point[] = []
  for (const [, thread = '', call = '', rest = ''] of trace.matchAll(/^(\d+) +(\w+)\((.*)$/gm)) {
    const count = (counts.get(`${thread} ${call}`) ?? 0) + 1
    counts.set(`${thread} ${call}`, count)
    const isFirst = !reached.has(`${call} ${count}`)
    reached.add(`${call} ${count}`)
    if (isFirst && rest.includes(place)) points.push({ call, count })
  }
  return points
}
