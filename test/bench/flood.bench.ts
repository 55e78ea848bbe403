/**
 * A real box while two other processes send it whatever they like, as fast as they can: a fade, the answers to somebody
 * who behaves, and the main loop, with and without the flood.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { floodBox } from '../simulation/flooded-box.js'
import { percentiles, printTable } from './table.js'

const flooder = fileURLToPath(new URL('../fixtures/flooder.js', import.meta.url))

const rows = []
for (const flooders of [0, 1, 2]) {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
  try {
    const { fared, nextAfterRestart } = await floodBox({ folder, flooder, flooders })
    const answered = percentiles(fared.answeredMs)
    const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)
    rows.push({
      flooders,
      'packets sent': sum(fared.flooded.flatMap(({ sent }) => Object.values(sent))),
      acknowledged: sum(fared.flooded.map(({ acknowledged }) => acknowledged)),
      'connections ended': sum(fared.flooded.map(({ closed }) => closed)),
      'fade end late, ms': fared.fadeEndMs,
      'longest frame, ms': fared.frameGapMsMax,
      'GO taken, ms': fared.goTakenMs,
      'GO answered, ms': fared.goAnsweredMs,
      'answer p50, ms': answered.p50,
      'answer p99, ms': answered.p99,
      unanswered: fared.unanswered,
      'loop p99, ms': fared.loopLagMs.p99,
      'loop max, ms': fared.loopLagMs.max,
      'longest turn on the processor, ms': fared.turnCpuMsMax,
      'longest turn, ms': fared.longestTurn.ms,
      'of it on the processor, ms': fared.longestTurn.cpuMs,
      'of it waiting for one, ms': fared.longestTurn.waitedMs,
      'kept over a restart': nextAfterRestart === fared.nextCue ? 'yes' : 'NO',
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
printTable(rows)
