/** Pulse width by the kernel's sysfs interface: Documentation/driver-api/pwm.rst, "Using PWMs with the sysfs interface". */

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename } from 'node:path'
import { DeviceError } from '../../runtime/core/errors.js'
import { wait } from '../../runtime/core/wait.js'
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { PwmOutput } from '../../runtime/ports/host.js'
import type { Claims } from './claims.js'
import { deviceErrorOf, errnoOf } from './errno.js'
import type { LastWords } from './last-words.js'

export const SYSFS_PWM = '/sys/class/pwm'

/** udev gives a new channel to its group a little after the kernel has made it. */
const EXPORT_TRIES = 50
const EXPORT_TRY_MS = 10

const FREQUENCY_HZ_MAX = 100_000
/** What is written for a duty of zero, which needs no period. */
const DARK = '0\n'

export interface SysfsPwmOptions {
  readonly name: string
  /** Last part of where /sys/class/pwm/pwmchipN/device points. */
  readonly chip: string
  readonly channel: number
  /** /sys/class/pwm */
  readonly folder: string
}

interface OpenChannel {
  readonly folder: string
  readonly dutyFd: number
  readonly periodNs: number
  readonly forgetLastWord: Cancel
  readonly free: Cancel
}

export class SysfsPwm implements PwmOutput {
  readonly name: string
  readonly #clock: Clock
  readonly #claims: Claims
  readonly #lastWords: () => LastWords
  readonly #options: SysfsPwmOptions
  #open: OpenChannel | null = null

  /** @param lastWords is asked when the output is opened */
  constructor(clock: Clock, claims: Claims, lastWords: () => LastWords, options: SysfsPwmOptions) {
    this.#clock = clock
    this.#claims = claims
    this.#lastWords = lastWords
    this.name = options.name
    this.#options = options
  }

  async open(frequencyHz: number): Promise<void> {
    if (!(frequencyHz >= 1 && frequencyHz <= FREQUENCY_HZ_MAX))
      throw new DeviceError('device.limit', `${this.name} cannot do ${frequencyHz} Hz`)
    const { chip, channel } = this.#options
    const free = this.#claims.claim(`pwm ${chip}/${channel}`, this.name)
    try {
      const folder = await this.#export()
      const word = { kind: 'file', path: `${folder}/duty_cycle`, text: DARK } as const
      const forgetLastWord = await this.#lastWords().keep(word)
      try {
        const periodNs = Math.round(1e9 / frequencyHz)
        this.#attempt('setting up', () => setUp(folder, periodNs))
        const dutyFd = this.#attempt('opening', () => openSync(word.path, 'r+'))
        this.#open = { folder, dutyFd, periodNs, forgetLastWord, free }
      } catch (error) {
        forgetLastWord()
        throw error
      }
    } catch (error) {
      free()
      throw error
    }
  }

  /** A share outside 0..1 is the nearest of both. */
  setDuty(duty: number): void {
    const open = this.#open
    if (open === null) throw new DeviceError('device.absent', `${this.name} is not open`)
    const share = Math.min(1, Math.max(0, duty))
    const dutyNs = Math.round(share * open.periodNs)
    this.#attempt('setting', () => writeSync(open.dutyFd, `${dutyNs}\n`, 0))
  }

  /** Duty zero, then the channel is given back. Safe to call twice. */
  async close(): Promise<void> {
    const open = this.#open
    if (open === null) return
    this.#open = null
    try {
      this.#attempt('closing', () => {
        writeSync(open.dutyFd, DARK, 0)
        writeFileSync(`${open.folder}/enable`, '0')
        writeFileSync(`${open.folder}/../unexport`, String(this.#options.channel))
      })
    } finally {
      open.forgetLastWord()
      closeSync(open.dutyFd)
      open.free()
    }
  }

  /** Returns the folder of the channel, once this user may write to it. */
  async #export(): Promise<string> {
    const chip = this.#chipFolder()
    const channel = `${chip}/pwm${this.#options.channel}`
    if (!existsSync(channel))
      this.#attempt('taking', () => writeFileSync(`${chip}/export`, String(this.#options.channel)))
    for (let tries = 1; !isWritable(`${channel}/duty_cycle`); tries++) {
      if (tries === EXPORT_TRIES)
        throw new DeviceError('device.denied', `${this.name}: ${channel} cannot be written to`)
      await wait(this.#clock, EXPORT_TRY_MS)
    }
    return channel
  }

  #chipFolder(): string {
    const { folder, chip } = this.#options
    const found = findPwmChip(folder, chip)
    if (found === null)
      throw new DeviceError('device.absent', `${this.name}: no PWM chip is called ${chip}`)
    return `${folder}/${found}`
  }

  #attempt<T>(what: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw deviceErrorOf(`${what} ${this.name}`, error)
    }
  }
}

/** The kernel refuses a duty above the period, and any duty without one; a dead process may have left both. */
function setUp(folder: string, periodNs: number): void {
  if (readFileSync(`${folder}/period`, 'latin1').trim() !== '0')
    writeFileSync(`${folder}/duty_cycle`, '0')
  writeFileSync(`${folder}/period`, String(periodNs))
  writeFileSync(`${folder}/duty_cycle`, '0')
  writeFileSync(`${folder}/enable`, '1')
}

/** The number of a chip depends on the order in which drivers were loaded; its device's name does not. */
export function findPwmChip(folder: string, chip: string): string | null {
  for (const name of chipNames(folder)) {
    try {
      if (basename(realpathSync(`${folder}/${name}/device`)) === chip) return name
    } catch (error) {
      // A chip without a device, or one that goes away meanwhile, is not the one we look for.
      if (errnoOf(error) === null) throw error
    }
  }
  return null
}

function chipNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => /^pwmchip\d+$/.test(name))
  } catch (error) {
    // A kernel without PWM has no such folder.
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

function isWritable(file: string): boolean {
  try {
    closeSync(openSync(file, 'r+'))
    return true
  } catch (error) {
    if (errnoOf(error) === null) throw error
    return false
  }
}
