/**
 * Frames of a dimmer chip on a real kernel's bus while the main thread is blocked, with cues of a line beside them: none
 * late, none lost. First the driver alone, then a whole box in this process.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { lab } from '../../boards/lab.js'
import { LinuxHost } from '../../drivers/linux/host.js'
import { LinuxI2cBuses } from '../../drivers/linux/i2c.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { Pca9685Light } from '../../drivers/pca9685-light.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { Histogram } from '../../runtime/core/histogram.js'
import { after } from '../../runtime/core/time.js'
import type { Fired } from '../../runtime/ports/host.js'
import { runBox } from '../../runtime/run.js'
import { block, clock, isHigh, offsetOf, pause, until } from './far-side.js'
import { DIMMER_ADDRESS, forgetDimmerOff, isDimmerOff } from './whole-box.js'

const FRAME_MS = 25
const FIRST_MS = 50
/** A fade, a cut to dark, and a fade again. */
const FADE_FRAMES = 20
const DARK_FRAMES = 6
const BLOCKED_MS = 1_000
/** Full OFF in the last of a channel's four registers: PCA9685 data sheet, table 6. */
const FULL_OFF = 0x10

const all = (level: number): number[] => Array.from({ length: 16 }, () => level)

/** What the first channel's registers hold, by another process: 0..4096 counts. */
function seenCount(): number {
  const place = ['1', `0x${DIMMER_ADDRESS.toString(16)}`, '0x06', 'i', '4']
  const [, onHigh = 0, offLow = 0, offHigh = 0] = execFileSync('i2cget', ['-y', '-f', ...place])
    .toString()
    .trim()
    .split(/\s+/)
    .map(Number)
  if (offHigh & FULL_OFF) return 0
  return onHigh & FULL_OFF ? 4096 : ((offHigh & 0x0f) << 8) | offLow
}

async function startLight(t: Test): Promise<{ light: Pca9685Light; log: SimulatedLog }> {
  const log = new SimulatedLog()
  const host = new LinuxHost(clock, log, new LinuxI2cBuses(clock, log), {
    board: lab,
    gpio: 'auto',
    heartbeatMs: 60_000,
  })
  const light = new Pca9685Light(host.i2cDevice('header', DIMMER_ADDRESS), null, clock, {
    name: 'wash',
    frequencyHz: 1000,
    gamma: 1,
    channelCount: 16,
    isStaggered: false,
  })
  await host.start()
  await light.start()
  t.teardown(async () => {
    await light.stop()
    await host.stop()
  })
  return { light, log }
}

t.test('a fade and a cut go on while the main thread is blocked for a second', async t => {
  const { light, log } = await startLight(t)
  const fired: Fired[] = []
  const faults: Error[] = []
  light.onApplied(one => void fired.push(one))
  light.onFault(fault => void faults.push(fault))
  const startMs = clock.monotonicMs()
  const momentOf = (frame: number) => after(startMs, FIRST_MS + frame * FRAME_MS)
  for (let frame = 0; frame < FADE_FRAMES; frame++)
    light.apply(all((frame + 1) / FADE_FRAMES), momentOf(frame))
  light.apply(all(0), momentOf(FADE_FRAMES))
  for (let frame = 1; frame <= FADE_FRAMES; frame++)
    light.apply(all(frame / FADE_FRAMES / 2), momentOf(FADE_FRAMES + DARK_FRAMES + frame))
  const seen: number[] = []
  while (clock.monotonicMs() < after(startMs, BLOCKED_MS)) {
    seen.push(seenCount())
    block(1)
  }
  const freeMs = clock.monotonicMs()
  t.same(fired, [], 'nobody could be told yet')
  const top = seen.indexOf(Math.max(...seen))
  t.ok(Math.max(...seen) > 2048, `registers rose while it was blocked: ${seen.join(' ')}`)
  t.ok(seen.slice(top).includes(0), 'the cut came')
  t.ok((seen.at(-1) ?? 0) > 0, 'and the second fade began')
  const last = momentOf(2 * FADE_FRAMES + DARK_FRAMES)
  await until(() => fired.at(-1)?.plannedMs === last)
  t.equal(fired.at(-1)?.plannedMs, last, 'the last frame is told of')
  // Where the machine stood still for more than a frame, the next one overtook it.
  t.ok(fired.length > FADE_FRAMES * 1.6, `${fired.length} of ${2 * FADE_FRAMES + 1}`)
  const meanwhile = fired.filter(({ plannedMs }) => plannedMs < freeMs - FRAME_MS)
  t.same(
    meanwhile.filter(({ firedMs, source }) => firedMs >= freeMs || source !== 'firing'),
    [],
    'those of that second were written in it',
  )
  const late = new Histogram()
  for (const { firedMs, plannedMs } of fired) late.add(firedMs - plannedMs)
  const { count, p50, p99, max } = late.read()
  t.comment(`frames ${count}, late by p50 ${p50} p99 ${p99} max ${max} ms`)
  t.same(faults, [])
  t.same(log.events('error'), [])
  await forgetDimmerOff()
  await light.stop()
  t.ok(await isDimmerOff(), 'dark after the end')
})

/** Fades up, cuts to dark while a lamp on a line comes on, and fades again. */
const show = `
apiVersion: show/v1
name: blocked
patch:
  lamp: {kind: switch, out: lamp}
  wash: {kind: dimmer, out: "wash#0..15"}
cues:
  - {id: "1", levels: {wash: 100%}, fade: 500ms, follow: {after: 600ms, go: "2"}}
  - {id: "2", levels: {wash: off, lamp: on}, fade: 0s, follow: {after: 200ms, go: "3"}}
  - {id: "3", levels: {wash: 50%}, fade: 1s}
`

const config = {
  schemaVersion: 1,
  tour: 'lab',
  box: 'box-1',
  broker: { kind: 'embedded', port: 0 },
  page: { port: 0 },
  devices: [
    { name: 'lamp', driver: 'gpio-light', options: { line: 'light-1' } },
    {
      name: 'wash',
      driver: 'pca9685-light',
      options: { bus: 'header', address: DIMMER_ADDRESS, gamma: 1 },
    },
  ],
  show: { file: 'show.yaml' },
}

async function startWholeBox(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  writeFileSync(join(folder, 'box.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'show.yaml'), show)
  const logFile = join(folder, 'log')
  const fd = openSync(logFile, 'w')
  const log = new LinuxLog(clock, { process: 'box', fd })
  const box = await runBox({
    configFile: join(folder, 'box.json'),
    boardName: 'lab',
    stateFolder: join(folder, 'state'),
    log,
  })
  const { username, password } = box.operator
  const client = await connectAsync(`mqtt://127.0.0.1:${box.mqttPort}`, { username, password })
  t.teardown(async () => {
    await client.endAsync(true)
    await box.stop()
    closeSync(fd)
    rmSync(folder, { recursive: true, force: true })
  })
  const said = (what: string): number => readFileSync(logFile, 'utf8').split(what).length - 1
  return { client, said }
}

t.test('so does a whole show, its follows included', async t => {
  const { client, said } = await startWholeBox(t)
  const lamp = offsetOf(lab, 'light-1')
  await until(() => said('"device.ready"') === 2)
  const late: { readonly count: number; readonly max: number }[] = []
  client.on('message', (_topic, payload) => void late.push(JSON.parse(payload.toString())))
  await client.subscribeAsync('vb/lab/box-1/cue/late')
  await client.publishAsync('vb/lab/box-1/cue', 'GO', { qos: 1 })
  await until(() => said('"cue.fired"') > 0)
  // The box has a moment to hand over what comes, as it has with every GO.
  await pause(120)
  const startMs = clock.monotonicMs()
  const seen: { readonly count: number; readonly isLit: boolean }[] = []
  while (clock.monotonicMs() < after(startMs, BLOCKED_MS)) {
    seen.push({ count: seenCount(), isLit: isHigh(lamp) })
    block(1)
  }
  const counts = seen.map(({ count }) => count)
  const top = counts.indexOf(Math.max(...counts))
  t.comment(counts.join(' '))
  t.equal(counts[top], 4096, 'the fade came to its end')
  t.ok(counts.slice(top).includes(0), 'the cut came')
  t.ok((counts.at(-1) ?? 0) > 0, 'and the second fade began')
  t.ok(seen.at(-1)?.isLit, 'the lamp on the line is lit')
  await until(() => (late.at(-1)?.count ?? 0) >= 3)
  t.comment(`as published: ${JSON.stringify(late.at(-1))}`)
  t.ok((late.at(-1)?.max ?? 1e9) < BLOCKED_MS / 10, 'no cue is late by a tenth of that second')
  t.equal(said('"level":"error"'), 0)
})
