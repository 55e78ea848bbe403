/** What the host took away from this virtual machine: where it is more than nothing, lateness is the host's too. */

interface Ticks {
  readonly steal: number
  readonly all: number
}

/** The first line of /proc/stat (proc(5)): user nice system idle iowait irq softirq steal guest guest_nice. */
export function ticksOf(stat: string): Ticks {
  const line = /^cpu +(.+)$/m.exec(stat)?.[1] ?? ''
  // A guest's ticks are in the user's already.
  const numbers = line.split(/ +/).slice(0, 8).map(Number)
  return { steal: numbers[7] ?? 0, all: numbers.reduce((sum, ticks) => sum + ticks, 0) }
}

/** In percent of the processors' time. */
export function stealPercent(before: Ticks, after: Ticks): number {
  const passed = after.all - before.all
  return passed > 0 ? (100 * (after.steal - before.steal)) / passed : 0
}
