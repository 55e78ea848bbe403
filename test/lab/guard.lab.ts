/**
 * Goal: whatever becomes of the box, its outputs are safe at once. Method: a whole box on a real kernel, lamps on, is
 * killed, stopped in its tracks or stopped in order; the far side is read from the kernel and from the chip's registers.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lab } from '../../boards/lab.js'
import { openLibc, pollEntries } from '../../drivers/linux/libc.js'
import { isHigh, labSays, offsetOf, pause } from './far-side.js'
import { guards } from './guards.js'
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

async function litBox(t: Test, gpio: 'chardev' | 'sysfs'): Promise<BoxProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const box = await startBox(folder, gpio)
  t.teardown(() => box.stop())
  t.ok(await eventually(() => box.lines.some(line => line.includes('"guard.ready"'))))
  t.ok(await eventually(() => guards().length === 1), 'it has a guard, and there is no other')
  box.publish(CUE, 'GO')
  t.ok(await eventually(() => isLit('light-1') && dimmerCount(0) === 4096), 'lamps are on')
  forgetDimmerOff()
  return box
}

async function kill(t: Test, { child }: BoxProcess): Promise<void> {
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill('SIGKILL')
  await ended
  t.equal(child.signalCode, 'SIGKILL')
}

const isOver = (): Promise<boolean> => eventually(() => guards().length === 0)

// Starting a box takes longer here than all that is asked of it: the second one goes on from where the first was killed.
t.test('guarded lines by the character device', async t => {
  const first = await litBox(t, 'chardev')

  await t.test('a killed box is dark at once', async t => {
    const watch = await watchLine(offsetOf(lab, 'light-1'))
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
    t.notOk(isLit('light-1'))
    t.ok(await eventually(isDimmerOff), 'the dimmer has heard its last words')
  })

  const second = await litBox(t, 'chardev')

  await t.test('a box that is started again at once is not disturbed', async t => {
    // The first one's guard has spoken long before that, if it speaks.
    await pause(1_000)
    t.notOk(isDimmerOff(), 'nobody wrote to the chip of the second')
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
    t.ok(await eventually(() => dimmerCount(0) === 4096 && isLit('light-1')), 'and it shines')
  })

  await t.test('an orderly stop leaves no guard behind', async t => {
    forgetDimmerOff()
    await second.stop()
    t.same(guards(), [])
    t.equal(second.child.exitCode, 0)
    t.ok(isDimmerOff(), 'the driver did it')
    t.notOk(isLit('light-1'))
  })
})

// Last: the kernel's older interface keeps a dead process's lines exported, and nobody else gets them then.
t.test('guarded lines by sysfs: a killed box is dark at once, and the dimmer', async t => {
  const box = await litBox(t, 'sysfs')
  const killedMs = performance.now()
  box.child.kill('SIGKILL')
  while (isLit('light-1') && performance.now() - killedMs < 10_000);
  t.notOk(isLit('light-1'), 'the line is low')
  t.comment(`line safe ${(performance.now() - killedMs).toFixed(1)} ms after the kill`)
  t.ok(await eventually(isDimmerOff), 'the dimmer has heard its last words')
  t.comment(`dimmer seen safe ${(performance.now() - killedMs).toFixed(1)} ms after the kill`)
  t.ok(await isOver(), 'and the guard is gone')
})

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
