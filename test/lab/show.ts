/**
 * A show on a real kernel: an ordinary MQTT client says GO, and lines, the registers of a dimmer and a camera's contact
 * follow, by both interfaces that the kernel has for its lines, or by the one that is named.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lab } from '../../boards/lab.js'
import { isHigh, offsetOf, pause, pull } from './far-side.js'
import { clearTrace, readTrace, startTrace } from './kernel-trace.js'
import {
  type BoxProcess,
  dimmerCount,
  eventually,
  forgetDimmerOff,
  isDimmerOff,
  startBox,
} from './whole-box.js'

const CUE = 'vb/lab/box-1/cue'
const isLit = (line: string): boolean => isHigh(offsetOf(lab, line))

const [asked] = process.argv.slice(2)

for (const gpio of (['chardev', 'sysfs'] as const).filter(name => name === (asked ?? name)))
  t.test(`a show moves real lines by ${gpio}`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    pull(offsetOf(lab, 'go-button'), true)
    const box = await startBox(folder, gpio)
    t.teardown(() => box.stop())
    t.comment(`ready after ${box.readyMs.toFixed(0)} ms`)
    t.ok(
      box.lines.some(line => line.includes('gpio.backend') && line.includes(gpio)),
      'the log says which way it took',
    )
    await followsMqtt(t, box)
    await followsTheButton(t)
    forgetDimmerOff()
    await box.stop()
    t.same(['light-1', 'light-2', 'shutter'].filter(isLit), [], 'all is dark after the end')
    t.ok(isDimmerOff(), 'and so are the lamps of the dimmer')
  })

async function followsMqtt(t: Test, box: BoxProcess): Promise<void> {
  t.notOk(isLit('light-1'), 'dark before the first cue')
  t.equal(dimmerCount(0), 0)
  // A pulse of 50 ms is over before a busy machine looks: the kernel is asked afterwards what it saw.
  startTrace(offsetOf(lab, 'shutter'))
  clearTrace()
  box.publish(CUE, 'GO')
  t.ok(await eventually(() => isLit('light-1')), 'the lamp follows GO')
  t.ok(
    await eventually(() => readTrace().changes.some(change => change.isHigh)),
    "the camera's contact closes",
  )
  t.ok(await eventually(() => !isLit('shutter')), 'and opens again')
  t.ok(await eventually(() => dimmerCount(0) === 4096), 'the dimmer reaches full')
  t.ok(
    await eventually(() => box.lines.some(line => line.includes('cue.fired'))),
    'the log says so',
  )
}

async function followsTheButton(t: Test): Promise<void> {
  pull(offsetOf(lab, 'go-button'), false)
  t.ok(await eventually(() => isLit('light-2')), 'a lamp follows the button')
  t.ok(await eventually(() => dimmerCount(0) > 500 && dimmerCount(0) < 2000), 'half, by gamma 2.2')
  pull(offsetOf(lab, 'go-button'), true)
  await pause(100)
}
