/**
 * How fast the show engine is: an hour of show with fades and chases at 40 frames a second, once as levels alone and then
 * through the whole service; and an hour in which 48 channels change with every frame. `npm run bench show`.
 */

import { showTimeMs } from '../../runtime/core/time.js'
import { advance, fold } from '../../runtime/services/show/fold.js'
import { levels, nextChange } from '../../runtime/services/show/levels.js'
import { initialState } from '../../runtime/services/show/state.js'
import { fireOf, readShow, Stage } from '../services/show/stage.js'
import { printTable } from './table.js'

const HOUR_MS = 3_600_000
const FRAME_MS = 25

/** Eight dimmers, two colors and two relays; a fade or a chase is under way all the time. */
const text = JSON.stringify({
  apiVersion: 'show/v1',
  name: 'bench',
  patch: {
    ...Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [
        `dim-${index}`,
        { kind: 'dimmer', out: `wash#${index}` },
      ]),
    ),
    'color-1': { kind: 'rgbw', out: 'wash#8..11' },
    'color-2': { kind: 'rgb', out: 'wash#12..14' },
    'relay-1': { kind: 'switch', out: 'relay-1' },
    'relay-2': { kind: 'switch', out: 'relay-2' },
  },
  groups: { dims: Array.from({ length: 8 }, (_, index) => `dim-${index}`) },
  scenes: {
    warm: { dims: '70%', 'color-1': { color: '#ff8000' }, 'color-2': { hue: 40 }, 'relay-1': 'on' },
    cold: {
      dims: '10%',
      'color-1': { color: '#0080ff' },
      'color-2': { hue: 220 },
      'relay-2': 'on',
    },
  },
  cues: [
    { id: '1', scene: 'warm', fade: '8s', curve: 'sine', follow: { after: '9s', go: '2' } },
    {
      id: '2',
      scene: 'cold',
      fade: { up: '3s', down: '6s', delay: { dims: '1s' } },
      follow: { after: '8s', go: '3' },
    },
    {
      id: '3',
      chase: {
        steps: Array.from({ length: 8 }, (_, index) => ({
          [`dim-${index}`]: 1,
          'color-1': { hue: index * 40 },
        })),
        period: '2s',
        fade: '100ms',
      },
      follow: { after: '10s', go: '1' },
    },
  ],
})

const show = readShow(text)

const LIGHTS = [
  { name: 'wash', channelCount: 16 },
  { name: 'relay-1', channelCount: 1, isDimmable: false },
  { name: 'relay-2', channelCount: 1, isDimmable: false },
]

/** Three dimmers of sixteen channels in one chase whose steps fade into each other without a pause. */
const busyText = JSON.stringify({
  apiVersion: 'show/v1',
  name: 'busy',
  patch: Object.fromEntries(
    Array.from({ length: 48 }, (_, index) => [
      `dim-${index}`,
      { kind: 'dimmer', out: `wash-${index >> 4}#${index % 16}` },
    ]),
  ),
  cues: [
    {
      id: '1',
      chase: {
        steps: Array.from({ length: 8 }, (_, step) =>
          Object.fromEntries(
            Array.from({ length: 48 }, (_, index) => [`dim-${index}`, ((index + step) % 8) / 7]),
          ),
        ),
        period: '4s',
        fade: '500ms',
      },
    },
  ],
})

const BUSY_LIGHTS = [0, 1, 2].map(index => ({ name: `wash-${index}`, channelCount: 16 }))

/** Seconds of processor time, which other work on the machine does not lengthen. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function benchLevels(): { hour: string; frames: number; 'CPU s': number } {
  let state = fold(show, initialState(show, 0), { atMs: 0, t0Ms: 0, deed: fireOf('1') }).state
  let frames = 0
  const begun = cpuSeconds()
  for (let tMs = 0; tMs < HOUR_MS; tMs += FRAME_MS) {
    state = advance(show, state, tMs).state
    if (levels(show, state, showTimeMs(tMs)).length > 0) frames++
    nextChange(show, state, showTimeMs(tMs))
  }
  return { hour: 'levels and next change', frames, 'CPU s': cpuSeconds() - begun }
}

async function benchService(
  hour: string,
  showText: string,
  lights: typeof LIGHTS,
): Promise<{ hour: string; frames: number; 'CPU s': number }> {
  const stage = new Stage({ show: showText, isRemembering: false, lights })
  await stage.service.start()
  await stage.ask({ action: 'go' })
  const begun = cpuSeconds()
  await stage.clock.advance(HOUR_MS)
  const took = cpuSeconds() - begun
  await stage.service.stop()
  const frames = lights.reduce((sum, { name }) => sum + stage.light(name).appliedCount, 0)
  return { hour, frames, 'CPU s': took }
}

/** The second round is what a running box is like: the engine has seen the code. */
for (const round of ['first', 'second']) {
  process.stdout.write(`${round} round\n`)
  printTable([
    benchLevels(),
    await benchService('the whole service, simulated clock and lights included', text, LIGHTS),
    await benchService('the same with 48 channels that never rest', busyText, BUSY_LIGHTS),
  ])
}
