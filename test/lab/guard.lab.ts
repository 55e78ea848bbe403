/**
 * Goal: whatever becomes of the box, its outputs are safe at once. Method: a whole box on a real kernel, lamps on, is
 * killed, stopped in its tracks or stopped in order; the far side is read from the kernel and from the chip's registers.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import t, { type Test } from 'tap'
import { lab } from '../../boards/lab.js'
import { openLibc, pollEntries } from '../../drivers/linux/libc.js'
import { labSays, offsetOf, pause } from './far-side.js'
import { guards } from './guards.js'
import { CUE, isLit, showBox, showMoves } from './show.js'
import {
  type BoxProcess,
  dimmerCount,
  eventually,
  forgetDimmerOff,
  isDimmerOff,
} from './whole-box.js'

/** A box that is followed through its show to cue 2; or one that has had a GO. Each with a guard. */
async function litBox(
  t: Test,
  gpio: 'chardev' | 'sysfs',
  options: { readonly isShown: boolean },
): Promise<BoxProcess> {
  const box = await showBox(t, gpio)
  t.ok(await eventually(() => box.lines.some(line => line.includes('"guard.ready"'))))
  t.ok(await eventually(() => guards().length === 1), 'it has a guard, and there is no other')
  if (options.isShown) await showMoves(t, box, gpio)
  else {
    box.publish(CUE, 'GO')
    const isFull = async (): Promise<boolean> => isLit('light-1') && (await dimmerCount(0)) === 4096
    t.ok(await eventually(isFull), 'lamps are on')
  }
  await forgetDimmerOff()
  return box
}

async function kill(t: Test, { child }: BoxProcess): Promise<void> {
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await ended
  t.equal(child.signalCode, 'SIGKILL')
}

const OUTPUTS = ['light-1', 'light-2', 'shutter']

const isOver = (): Promise<boolean> => eventually(() => guards().length === 0)

// Starting a box takes longer here than all that is asked of it: so one plays its show and is killed at the end, and the
// second one goes on from there.
t.test('a show moves real lines by the character device, and they are guarded', async t => {
  const first = await litBox(t, 'chardev', { isShown: true })

  await t.test('a killed box is dark at once', async t => {
    t.ok(isLit('light-2'), 'cue 2 is lit')
    const watch = await watchLine(offsetOf(lab, 'light-2'))
    const killedMs = performance.now()
    await kill(t, first)
    // The kernel lets go of the line when its process is dead; what its level is then depends on the machine.
    const [released, taken, left] = [watch.next(), watch.next(), watch.next()]
    t.same([released?.kind, taken?.kind, left?.kind], ['released', 'requested', 'released'])
    t.ok(taken?.isOutput, 'the guard drove it')
    t.comment(
      `line safe ${((taken?.atMs ?? 0) - killedMs - offsetMs()).toFixed(1)} ms after the kill`,
    )
    t.comment(
      `${((taken?.atMs ?? 0) - (released?.atMs ?? 0)).toFixed(2)} ms after the kernel freed it`,
    )
    watch.close()
    t.same(OUTPUTS.filter(isLit), [])
    t.ok(await eventually(isDimmerOff), 'the dimmer has heard its last words')
  })

  const second = await litBox(t, 'chardev', { isShown: false })

  await t.test('a box that is started again at once is not disturbed', async t => {
    // The first one's guard has spoken long before that, if it speaks.
    await pause(1_000)
    t.notOk(await isDimmerOff(), 'nobody wrote to the chip of the second')
    t.ok(isLit('light-1'), 'nor took its line')
  })

  await t.test('a box that hangs is dark, and shines again when it comes back', async t => {
    const stoppedMs = performance.now()
    second.child.kill('SIGSTOP')
    t.ok(await eventually(isDimmerOff), 'the dimmer has heard its last words')
    const safeMs = performance.now() - stoppedMs
    t.comment(`dimmer seen safe ${safeMs.toFixed(0)} ms after the box froze`)
    t.equal(guards().length, 1, 'the guard stays')
    const linesBefore = second.lines.length
    second.child.kill('SIGCONT')
    const isBack = (): boolean =>
      second.lines
        .slice(linesBefore)
        .some(line => line.includes('"device.ready"') && line.includes('wash'))
    t.ok(await eventually(isBack), 'the driver starts the chip anew')
    t.ok(
      await eventually(async () => (await dimmerCount(0)) === 4096 && isLit('light-1')),
      'and it shines',
    )
  })

  await t.test('an orderly stop leaves no guard behind', async t => {
    await forgetDimmerOff()
    await second.stop()
    t.same(guards(), [])
    t.equal(second.child.exitCode, 0)
    t.ok(await isDimmerOff(), 'the driver did it')
    t.same(OUTPUTS.filter(isLit), [], 'all is dark after the end')
  })
})

// Last: the kernel's older interface keeps a dead process's lines exported, and nobody else gets them then.
t.test(
  'a show moves real lines by sysfs, and a killed box is dark at once, and the dimmer',
  async t => {
    const box = await litBox(t, 'sysfs', { isShown: true })
    t.ok(isLit('light-2'), 'cue 2 is lit')
    const killedMs = performance.now()
    box.child.kill('SIGKILL')
    while (isLit('light-2') && performance.now() - killedMs < 10_000);
    t.ok(await eventually(() => OUTPUTS.filter(isLit).length === 0), 'the lines are low')
    t.comment(`line safe ${(performance.now() - killedMs).toFixed(1)} ms after the kill`)
    t.ok(await eventually(isDimmerOff), 'the dimmer has heard its last words')
    t.comment(`dimmer seen safe ${(performance.now() - killedMs).toFixed(1)} ms after the kill`)
    t.ok(await isOver(), 'and the guard is gone')
  },
)

/** From this process's own zero to CLOCK_MONOTONIC. */
const offsetMs = (): number => Number(process.hrtime.bigint()) / 1e6 - performance.now()

interface LineNews {
  readonly kind: 'requested' | 'released' | 'configured'
  readonly isOutput: boolean
  /** CLOCK_MONOTONIC */
  readonly atMs: number
}

/** What the kernel tells of who takes a line: GPIO_V2_GET_LINEINFO_WATCH_IOCTL of <linux/gpio.h>. */
async function watchLine(offset: number): Promise<{ next(): LineNews | null; close(): void }> {
  const WATCH = 0xc100_b406
  const [OFFSET, FLAGS, INFO_BYTES] = [64, 72, 256]
  const [STAMP, KIND, CHANGED_BYTES] = [256, 264, 288]
  const OUTPUT = 1n << 3n
  const libc = await openLibc()
  const fd = openSync(labSays('LAB_GPIO_CHIP'), 'r+')
  const line = new DataView(new ArrayBuffer(INFO_BYTES))
  line.setUint32(OFFSET, offset, true)
  libc.ioctl(fd, WATCH, new Uint8Array(line.buffer), 'watching a line')
  return {
    next: () => {
      if (libc.poll(pollEntries([fd]), 1, 5_000) === 0) return null
      const changed = new DataView(new ArrayBuffer(CHANGED_BYTES))
      readSync(fd, new Uint8Array(changed.buffer))
      const kinds = ['requested', 'released', 'configured'] as const
      return {
        kind: kinds[changed.getUint32(KIND, true) - 1] ?? 'configured',
        isOutput: (changed.getBigUint64(FLAGS, true) & OUTPUT) !== 0n,
        atMs: Number(changed.getBigUint64(STAMP, true)) / 1e6,
      }
    },
    close: () => closeSync(fd),
  }
}
