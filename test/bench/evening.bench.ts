/**
 * An hour of the example show on a whole simulated box: services, drivers, timed I2C transfers and chips included. How
 * long it takes, and what memory the process has afterwards.
 */
import { World } from '../simulation/world.js'
import { printTable } from './table.js'

const HOUR_MS = 3_600_000
const ROUND_MS = 600_000
const CUES = 7
const PAUSE_MS = 20_000

async function hour(seed: number): Promise<{ seconds: number; changes: number; fired: number }> {
  const world = new World({ seed, showText: null })
  await world.start()
  const startedMs = performance.now()
  for (let roundMs = 0; roundMs < HOUR_MS; roundMs += ROUND_MS) {
    world.command({ action: 'goto', cue: '1' })
    for (let cue = 0; cue < CUES; cue++) {
      world.command({ action: 'go' })
      await world.clock.advance(PAUSE_MS)
    }
    await world.clock.advance(ROUND_MS - CUES * PAUSE_MS)
  }
  const seconds = (performance.now() - startedMs) / 1000
  const changes = world.trace.length + world.host.bus('header').transferCount
  await world.stop()
  return { seconds, changes, fired: world.fired.length }
}

const rows = []
for (const seed of [1, 2, 3]) {
  const { seconds, changes, fired } = await hour(seed)
  globalThis.gc?.()
  const rss = process.memoryUsage.rss() / 1e6
  rows.push({ seed, 'hour simulated in, s': seconds, changes, 'cues fired': fired, 'RSS, MB': rss })
}
printTable(rows)
