/**
 * Storms in a thread of their own: the test runner watches every promise of its thread, and a storm makes millions.
 * `workerData` is the seeds, what is sent back is what they came to.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type Reached, Storm } from './storm.js'

export interface Seeds {
  readonly first: number
  readonly count: number
}

export interface Stormed {
  readonly reached: Reached
  /** What did not hold, by seed. */
  readonly broken: ReadonlyMap<number, readonly string[]>
}

async function stormOn({ first, count }: Seeds): Promise<Stormed> {
  const reached: Reached = new Map()
  const broken = new Map<number, readonly string[]>()
  for (let seed = first; seed < first + count; seed++) {
    const found = await new Storm(seed, reached).run()
    if (found.length > 0) broken.set(seed, found)
  }
  return { reached, broken }
}

parentPort?.postMessage(await stormOn(workerData))
