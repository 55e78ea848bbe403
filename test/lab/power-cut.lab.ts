/**
 * The plug is pulled in the middle of a fade: the machine is reset without a sync while the box runs, and the box of the
 * next boot, on the same disk, shows the levels of now. Runs twice: LAB_BOOT says which boot it is.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { lab } from '../../boards/lab.js'
import { isHigh, labSays, offsetOf } from './far-side.js'
import { dimmerCount, eventually, forgetDimmerOff, isDimmerOff, startBox } from './whole-box.js'

const DISK = '/dev/ubda'
const FOLDER = '/mnt/box'
const CUE = 'vb/lab/box-1/cue'
const FADE_MS = 60_000

mkdirSync(FOLDER, { recursive: true })
if (labSays('LAB_BOOT') === '1') await untilThePlugIsPulled()
else await afterwards()

async function untilThePlugIsPulled(): Promise<never> {
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', DISK])
  execFileSync('mount', ['-t', 'ext4', DISK, FOLDER])
  const box = await startBox(FOLDER, 'chardev')
  for (const cue of ['1', '2', '3']) {
    box.publish(CUE, JSON.stringify({ action: 'fire', cue }))
    await pause(700)
  }
  writeFileSync(join(FOLDER, 'fired-at'), String(Date.now() - 700), { flush: true })
  const isFading = await eventually(() => dimmerCount(0) > 0 && isHigh(offsetOf(lab, 'light-2')))
  if (!isFading) throw new Error('the fade of cue 3 is not under way')
  // No sync, no goodbye: what the kernel holds in memory is gone.
  execFileSync('busybox', ['reboot', '-f', '-n'])
  return new Promise(() => {})
}

async function afterwards(): Promise<void> {
  await t.test('a power cut in the middle of a fade comes back at the levels of now', async t => {
    execFileSync('mount', ['-t', 'ext4', DISK, FOLDER])
    t.equal(dimmerCount(0), 0, 'the chip has forgotten everything')
    const box = await startBox(FOLDER, 'chardev')
    t.comment(`ready ${box.readyMs.toFixed(0)} ms after the start of the process`)
    t.ok(
      box.lines.some(line => line.includes('show.resumed') && line.includes('"cue":"3"')),
      'the cue that was acknowledged is the one that is shown',
    )
    const passedMs = Date.now() - Number(readFileSync(join(FOLDER, 'fired-at'), 'utf8'))
    t.ok(passedMs < FADE_MS, 'the fade is still under way')
    // From half, by gamma 2.2, down to nothing in a minute.
    const wanted = 4096 * (0.5 * (1 - passedMs / FADE_MS)) ** 2.2
    const found = dimmerCount(0)
    t.comment(`${passedMs} ms after the cue: ${found} counts, wanted ${wanted.toFixed(0)}`)
    t.ok(Math.abs(found - wanted) < 60, 'the dimmer shows the levels of now')
    forgetDimmerOff()
    await box.stop()
    t.ok(isDimmerOff(), 'dark after the end')
  })
}
