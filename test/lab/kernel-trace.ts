/**
 * What the kernel itself saw of the lines, for programs that run on the lab machine: its trace events of a line that
 * changes and of an interrupt that is taken, stamped on CLOCK_MONOTONIC to the microsecond. Nobody polls, so that the
 * measuring does not disturb what is measured. Documentation/trace/events.rst of the Linux kernel.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { assert } from '../../runtime/core/errors.js'
import { labSays } from './far-side.js'

const TRACING = '/sys/kernel/tracing'
/** Of the character device (ours) and of sysfs: what an interrupt of an input line is called. */
const INTERRUPT_NAMES = ['roadcase', 'gpiolib']

export interface LineChange {
  readonly isHigh: boolean
  readonly atMs: number
}

export interface Seen {
  /** Of the one output, oldest first. */
  readonly changes: readonly LineChange[]
  /** When an interrupt of any input was taken. */
  readonly interruptsMs: readonly number[]
}

/** From now on the kernel notes every change of that output, and every interrupt of an input. */
export function startTrace(offset: number): void {
  if (!existsSync(`${TRACING}/trace`)) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACING])
  const line = Number(labSays('LAB_GPIO_BASE')) + offset
  write('trace_clock', 'mono')
  write('events/gpio/gpio_value/filter', `get == 0 && gpio == ${line}`)
  write(
    'events/irq/irq_handler_entry/filter',
    INTERRUPT_NAMES.map(name => `name ~ "${name}"`).join(' || '),
  )
  write('events/gpio/gpio_value/enable', '1')
  write('events/irq/irq_handler_entry/enable', '1')
}

export const clearTrace = (): void => write('trace', '')

/** Everything since the last `clearTrace`. */
export function readTrace(): Seen {
  const text = readFileSync(`${TRACING}/trace`, 'latin1')
  const written = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(text)
  assert(written !== null && written[1] === written[2], 'the buffer of the trace holds all of it')
  const changes = [...text.matchAll(/ (\d+\.\d{6}): gpio_value: \d+ set ([01])/g)]
  const interrupts = [...text.matchAll(/ (\d+\.\d{6}): irq_handler_entry: /g)]
  return {
    changes: changes.map(([, at, value]) => ({ isHigh: value === '1', atMs: Number(at) * 1000 })),
    interruptsMs: interrupts.map(([, at]) => Number(at) * 1000),
  }
}

const write = (file: string, text: string): void => writeFileSync(`${TRACING}/${file}`, text)
