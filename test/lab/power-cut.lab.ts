/**
 * The plug is pulled in the middle of a fade: the machine is reset without a sync while the box runs, and the box of the
 * next boot, on the same disk, shows the levels of now. Runs twice: LAB_BOOT says which boot it is.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { lab } from '../../boards/lab.js'
import { isHigh, labSays, offsetOf } from './far-side.js'
import { dimmerCount, eventually, forgetDimmerOff, isDimmerOff, startBox } from './whole-box.js'

const DISK = '/dev/ubda'
const FOLDER = '/mnt/box'
const FADE_MS = 60_000
/** Half by gamma 2.2 is 891 counts: from here on cue 3 is seen to fade. */
const FADING_COUNTS = 850
const SLACK_COUNTS = 30
/** In which the fade goes on by more than twice the slack: what stands still cannot be right before and after. */
const FURTHER_MS = 4_000

/** Cue 3 was fired between the two, on the scale of the wall. */
interface Fired {
  readonly afterMs: number
  readonly beforeMs: number
}

/** From half, by gamma 2.2, down to nothing in a minute. */
const countsAfter = (passedMs: number): number => 4096 * (0.5 * (1 - passedMs / FADE_MS)) ** 2.2

mkdirSync(FOLDER, { recursive: true })
if (labSays('LAB_BOOT') === '1') await untilThePlugIsPulled()
else await afterwards()

async function untilThePlugIsPulled(): Promise<never> {
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', DISK])
  execFileSync('mount', ['-t', 'ext4', DISK, FOLDER])
  const box = await startBox(FOLDER, 'chardev')
  let fired: Fired = { afterMs: 0, beforeMs: 0 }
  for (const cue of ['1', '2', '3']) {
    const afterMs = Date.now()
    await box.ask({ id: `cue-${cue}`, action: 'fire', cue })
    fired = { afterMs, beforeMs: Date.now() }
  }
  writeFileSync(join(FOLDER, 'fired'), JSON.stringify(fired), { flush: true })
  const isUnderWay = (counts: number): boolean => counts > 0 && counts < FADING_COUNTS
  const isFading = await eventually(
    async () => isUnderWay(await dimmerCount(0)) && isHigh(offsetOf(lab, 'light-2')),
  )
  if (!isFading) throw new Error('the fade of cue 3 is not under way')
  // No sync, no goodbye: what the kernel holds in memory is gone.
  execFileSync('busybox', ['reboot', '-f', '-n'])
  return new Promise(() => {})
}

async function afterwards(): Promise<void> {
  // Only here: the boots before have nothing to tell, and loading it takes longer than most that they do.
  const { default: t } = await import('tap')
  await t.test('a power cut in the middle of a fade comes back at the levels of now', async t => {
    execFileSync('mount', ['-t', 'ext4', DISK, FOLDER])
    t.equal(await dimmerCount(0), 0, 'the chip has forgotten everything')
    const box = await startBox(FOLDER, 'chardev')
    t.comment(`ready ${box.readyMs.toFixed(0)} ms after the start of the process`)
    t.ok(
      box.lines.some(line => line.includes('show.resumed') && line.includes('"cue":"3"')),
      'the cue that was acknowledged is the one that is shown',
    )
    const fired: Fired = JSON.parse(readFileSync(join(FOLDER, 'fired'), 'utf8'))
    let seen = ''
    const isNow = async (): Promise<boolean> => {
      const passedMsMin = Date.now() - fired.beforeMs
      const found = await dimmerCount(0)
      const passedMsMax = Date.now() - fired.afterMs
      const [most, least] = [countsAfter(passedMsMin), countsAfter(passedMsMax)]
      const wanted = `${least.toFixed(0)} to ${most.toFixed(0)}`
      seen = `${passedMsMax} ms after the cue: ${found} counts, wanted ${wanted}`
      return found > least - SLACK_COUNTS && found < most + SLACK_COUNTS
    }
    // A box that is short of time right after its start is behind for a moment.
    t.ok(await eventually(isNow), `the dimmer shows the levels of now: ${seen}`)
    await pause(FURTHER_MS)
    t.ok(await eventually(isNow), `and goes on with them: ${seen}`)
    t.ok(Date.now() - fired.afterMs < FADE_MS, 'while the fade is still under way')
    await forgetDimmerOff()
    await box.stop()
    t.ok(await isDimmerOff(), 'dark after the end')
  })
}
