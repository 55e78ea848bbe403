/**
 * A show on a real kernel: an ordinary MQTT client says GO, and lines, the registers of a dimmer and a camera's contact
 * follow.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { lab } from '../../boards/lab.js'
import { isHigh, offsetOf, pause, pull } from './far-side.js'
import { clearTrace, readTrace, startTrace } from './kernel-trace.js'
import { type BoxProcess, dimmerCount, eventually, startBox } from './whole-box.js'

export const CUE = 'vb/lab/box-1/cue'
export const isLit = (line: string): boolean => isHigh(offsetOf(lab, line))

/** A box of its own folder, that is stopped after the test. */
export async function showBox(t: Test, gpio: 'chardev' | 'sysfs'): Promise<BoxProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const box = await startBox(folder, gpio)
  t.teardown(() => box.stop())
  t.comment(`ready after ${box.readyMs.toFixed(0)} ms`)
  return box
}

/** From dark to cue 2: the second light and half of the dimmer. */
export async function showMoves(
  t: Test,
  box: BoxProcess,
  gpio: 'chardev' | 'sysfs',
): Promise<void> {
  t.ok(
    box.lines.some(line => line.includes('gpio.backend') && line.includes(gpio)),
    'the log says which way it took',
  )
  pull(offsetOf(lab, 'go-button'), true)
  await followsMqtt(t, box)
  await followsTheButton(t)
}

async function followsMqtt(t: Test, box: BoxProcess): Promise<void> {
  t.notOk(isLit('light-1'), 'dark before the first cue')
  t.equal(await dimmerCount(0), 0)
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
  t.ok(await eventually(async () => (await dimmerCount(0)) === 4096), 'the dimmer reaches full')
  t.ok(
    await eventually(() => box.lines.some(line => line.includes('cue.fired'))),
    'the log says so',
  )
}

async function followsTheButton(t: Test): Promise<void> {
  pull(offsetOf(lab, 'go-button'), false)
  t.ok(await eventually(() => isLit('light-2')), 'a lamp follows the button')
  const isHalf = (counts: number): boolean => counts > 500 && counts < 2000
  t.ok(await eventually(async () => isHalf(await dimmerCount(0))), 'half, by gamma 2.2')
  pull(offsetOf(lab, 'go-button'), true)
  await pause(100)
}
