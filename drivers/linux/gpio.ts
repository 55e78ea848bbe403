/**
 * Two ways to reach the same lines: the character device (every kernel from 5.10 on) and the older sysfs files, through
 * onoff. Which one is used is decided by looking, not by guessing from a kernel version.
 */
import { DeviceError, type ErrorCode } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { Edges } from './edges.js'
import type { Found, GpioBackend } from './gpio-backend.js'
import { ChardevGpio } from './gpio-chardev.js'
import { SYSFS_GPIO, SysfsGpio } from './gpio-sysfs.js'
import type { Libc } from './libc.js'

export type BackendName = 'chardev' | 'sysfs'

export interface BackendChoice {
  readonly backend: BackendName | 'none'
  /** For the log: a sentence without the names of lines. */
  readonly reason: string
  /** What opening a line answers when there is no backend. */
  readonly code: ErrorCode
}

const titles = { chardev: 'the character device', sysfs: 'sysfs' } as const

const failures = {
  'device.absent': 'has no such chip',
  'device.denied': 'is not open to this user',
  'native.missing': 'needs a native package that is not built for this machine',
} as const

/** The character device wins: it has pull resistors, kernel time stamps and debouncing, and sysfs is going away. */
export function chooseBackend(
  found: Readonly<Record<BackendName, Found>>,
  wanted: 'auto' | BackendName,
): BackendChoice {
  const order: readonly BackendName[] = wanted === 'auto' ? ['chardev', 'sysfs'] : [wanted]
  const reasons: string[] = []
  let code: ErrorCode = 'device.absent'
  for (const backend of order) {
    const state = found[backend]
    if (state === 'found') {
      const why = wanted === 'auto' ? 'has the chip' : 'was asked for and has the chip'
      return { backend, reason: [...reasons, `${titles[backend]} ${why}`].join('; '), code }
    }
    if (code === 'device.absent') code = state
    reasons.push(`${titles[backend]} ${failures[state]}`)
  }
  return { backend: 'none', reason: reasons.join('; '), code }
}

/**
 * Looks for the chip in both ways and returns the one to use, with the reason in the log. Where there is none, a
 * machine without lines: opening one says why.
 */
export async function openGpio(
  clock: Clock,
  log: Log,
  libc: Libc | null,
  options: { readonly label: string; readonly wanted: 'auto' | BackendName },
): Promise<GpioBackend> {
  const { label, wanted } = options
  const sysfs = new SysfsGpio(clock, log, { folder: SYSFS_GPIO })
  const chardev = libc && new ChardevGpio(clock, libc, new Edges(libc), { folder: '/dev' })
  const found = {
    chardev: chardev ? chardev.look(label) : 'native.missing',
    sysfs: await sysfs.look(label),
  } as const
  const { backend, reason, code } = chooseBackend(found, wanted)
  if (backend === 'none') log.warn('gpio.backend', { backend, label, reason })
  else log.info('gpio.backend', { backend, label, reason })
  if (backend === 'chardev' && chardev) return chardev
  return backend === 'sysfs' ? sysfs : noGpio(new DeviceError(code, `${label}: ${reason}`))
}

const noGpio = (fault: DeviceError): GpioBackend => ({
  takeOutput: () => Promise.reject(fault),
  takeInput: () => Promise.reject(fault),
  stop: async () => {},
})
