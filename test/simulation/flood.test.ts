/**
 * Goal: a broker that is flooded from other processes holds up neither a fade nor a GO, loses nothing that it has
 * acknowledged, and never keeps the main thread for longer than two frames.
 */
import { join } from 'node:path'
import t from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import { floodBox } from './flooded-box.js'

/** Other processes may take the machine away at any moment: what they took is not held against the box. */
const FADE_END_MS_MAX = 50
const TURN_CPU_MS_MAX = 50

t.setTimeout(120_000)
t.test('a flood of messages holds up neither a fade nor a GO', async t => {
  const folder = t.testdir()
  compileInto(folder, ['test/fixtures/flooder'])
  const { fared, nextAfterRestart } = await floodBox({
    folder: join(folder, 'box'),
    flooder: join(folder, 'test/fixtures/flooder.js'),
    flooders: 1,
  })
  const { flooded, fadeEndMs, loopLagMs, turnCpuMsMax, answeredMs } = fared
  t.comment({ fadeEndMs, loopLagMs, turnCpuMsMax, goAnsweredMs: fared.goAnsweredMs, flooded })
  t.ok(fadeEndMs > -1, `the fade ended ${fadeEndMs} ms late`)
  t.ok(fadeEndMs < FADE_END_MS_MAX + loopLagMs.max, 'and no later than the loop was')
  t.ok(turnCpuMsMax <= TURN_CPU_MS_MAX, `the longest turn took ${turnCpuMsMax} ms`)
  t.equal(fared.unanswered, 0, `${answeredMs.length} commands were answered`)
  t.ok(answeredMs.length > 0)
  t.equal(nextAfterRestart, fared.nextCue, 'what was acknowledged is there after a restart')
  for (const [kind, count] of Object.entries(flooded[0]?.sent ?? {}))
    t.ok(count > 0, `${kind}: ${count}`)
})
