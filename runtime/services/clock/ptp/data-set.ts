/** Which clock is better, and what a port does about it (IEEE 1588-2008, 9.3.3 and 9.3.4). */
import type { Announce, Grandmaster } from './message.js'
import type { PortIdentity } from './wire.js'

/** What is compared: a grandmaster, and the way on which it was heard of. */
export interface DataSet {
  readonly grandmaster: Grandmaster
  readonly stepsRemoved: number
  /** The port that sent it; of the own clock, port 0. */
  readonly sender: PortIdentity
  /** The port that received it. */
  readonly receiver: PortIdentity
}

/** Negative where the first is better, positive where the second is; by topology where both have one grandmaster. */
export interface Comparison {
  readonly order: number
  readonly isByTopology: boolean
}

export const dataSetOf = (announce: Announce, receiver: PortIdentity): DataSet => ({
  grandmaster: announce.grandmaster,
  stepsRemoved: announce.stepsRemoved,
  sender: announce.header.source,
  receiver,
})

/** Figure 27, and figure 28 where both have the same grandmaster. */
export function compare(a: DataSet, b: DataSet): Comparison {
  if (a.grandmaster.identity === b.grandmaster.identity) return compareWays(a, b)
  const order = compareGrandmasters(a.grandmaster, b.grandmaster)
  return { order, isByTopology: false }
}

const compareGrandmasters = (a: Grandmaster, b: Grandmaster): number =>
  a.priority1 - b.priority1 ||
  a.clockClass - b.clockClass ||
  a.accuracy - b.accuracy ||
  a.variance - b.variance ||
  a.priority2 - b.priority2 ||
  compareText(a.identity, b.identity)

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const comparePorts = (a: PortIdentity, b: PortIdentity): number =>
  compareText(a.clock, b.clock) || a.port - b.port

/** Figure 28. The two errors of the figure (a port that hears itself) leave both equal. */
function compareWays(a: DataSet, b: DataSet): Comparison {
  const steps = a.stepsRemoved - b.stepsRemoved
  if (Math.abs(steps) > 1) return { order: steps, isByTopology: false }
  if (steps !== 0) {
    const farther = steps > 0 ? a : b
    const side = comparePorts(farther.receiver, farther.sender)
    return { order: side === 0 ? 0 : steps, isByTopology: side > 0 }
  }
  const order = comparePorts(a.sender, b.sender) || a.receiver.port - b.receiver.port
  return { order, isByTopology: order !== 0 }
}

/** The recommended state with its name in figure 26; `none`: go on listening. */
export type Decision = 'M1' | 'M2' | 'P1' | 'S1' | 'none'

/** A class up to here is a clock that is never a slave (7.6.2.4). */
export const MASTER_CLASS_MAX = 127

/**
 * Figure 26 for a clock with one port, where the best master of the port is the best of all: M3 and P2 cannot come up.
 * @param best null while no master is qualified
 */
export function decide(own: DataSet, best: DataSet | null, isSlaveOnly: boolean): Decision {
  if (isSlaveOnly) return best === null ? 'none' : 'S1'
  const isOwnBetter = best === null || compare(own, best).order < 0
  if (own.grandmaster.clockClass <= MASTER_CLASS_MAX) return isOwnBetter ? 'M1' : 'P1'
  return isOwnBetter ? 'M2' : 'S1'
}
