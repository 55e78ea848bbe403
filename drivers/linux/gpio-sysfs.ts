/**
 * The only file that imports `onoff`: lines by /sys/class/gpio, for images whose kernel has no usable character device.
 * No pull resistors, no kernel time stamps; debouncing is onoff's, in this process.
 */

import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import type { Gpio } from 'onoff'
import { BoxError, DeviceError } from '../../runtime/core/errors.js'
import { wait } from '../../runtime/core/wait.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import { deviceErrorOf, errnoOf } from './errno.js'
import type {
  Found,
  GpioBackend,
  InputListener,
  LinePlace,
  TakenInput,
  TakenOutput,
} from './gpio-backend.js'
import type { LastWord } from './last-words.js'

/** Where onoff looks; it cannot be told otherwise. */
export const SYSFS_GPIO = '/sys/class/gpio'

/** A line of onoff's, as far as it is used here. */
export type SysfsLine = Pick<Gpio, 'direction' | 'readSync' | 'watch' | 'unwatchAll' | 'unexport'>

/** As the constructor of onoff's `Gpio`. */
type OpenLine = (...asked: ConstructorParameters<typeof Gpio>) => SysfsLine

/** Margin for a debounce timer of onoff that is still under way when its line is closed. */
const TIMER_SLACK_MS = 10

export class SysfsGpio implements GpioBackend {
  readonly #clock: Clock
  readonly #log: Log
  readonly #folder: string
  readonly #load: () => Promise<OpenLine>

  /**
   * @param options.folder where chips are looked up: /sys/class/gpio
   * @param load onoff, unless a test brings lines of its own; throws BoxError `native.missing`
   */
  constructor(
    clock: Clock,
    log: Log,
    options: { readonly folder: string },
    load: () => Promise<OpenLine> = loadOnoff,
  ) {
    this.#clock = clock
    this.#log = log
    this.#folder = options.folder
    this.#load = load
  }

  /** Whether a chip of that label is there and onoff can be loaded. */
  async look(label: string): Promise<Found> {
    if (findBase(this.#folder, label) === null) return 'device.absent'
    try {
      await this.#load()
      return 'found'
    } catch (error) {
      if (error instanceof BoxError && error.code === 'native.missing') return 'native.missing'
      throw error
    }
  }

  async takeOutput(place: LinePlace, isActive: boolean): Promise<TakenOutput> {
    const openLine = await this.#load()
    const what = `taking ${place.name}`
    const number = this.#numberOf(place)
    // The direction file takes the level of the pin, not the meaning: so there is no moment in the wrong state.
    const isHigh = isActive === (place.activeLevel === 'high')
    const gpio = attempt(what, () => {
      const options = { activeLow: place.activeLevel === 'low' }
      return openLine(number, isHigh ? 'high' : 'low', 'none', options)
    })
    try {
      return attempt(what, () => {
        // onoff lets a failed change of direction pass when the line was exported before.
        if (gpio.direction() !== 'out')
          throw new DeviceError('device.busy', `${what}: it is another's input`)
        const path = `${SYSFS_GPIO}/gpio${number}/value`
        const fd = openSync(path, 'r+')
        const release = (): void => {
          closeSync(fd)
          attempt(`letting go of ${place.name}`, () => gpio.unexport())
        }
        const lastWord = (isSafeActive: boolean): LastWord => ({
          kind: 'file',
          path,
          text: isSafeActive ? '1' : '0',
        })
        return { fd, method: 'file', lastWord, release }
      })
    } catch (error) {
      unexportQuietly(gpio)
      throw error
    }
  }

  async takeInput(
    place: LinePlace,
    debounceMs: number,
    listener: InputListener,
  ): Promise<TakenInput> {
    const openLine = await this.#load()
    const number = this.#numberOf(place)
    // A button without its pull resistor floats: somebody has to solder one, or use the character device.
    if (place.bias === 'pull-up' || place.bias === 'pull-down')
      this.#log.warn('gpio.no-bias', { line: place.name, bias: place.bias })
    const gpio = attempt(`taking ${place.name}`, () => {
      const options = { activeLow: place.activeLevel === 'low', debounceTimeout: debounceMs }
      return openLine(number, 'in', 'both', options)
    })
    const isActive = (): boolean => attempt(`reading ${place.name}`, () => gpio.readSync() === 1)
    try {
      attempt(`watching ${place.name}`, () => watch(gpio, this.#clock, place.name, listener))
    } catch (error) {
      unexportQuietly(gpio)
      throw error
    }
    return { isActive, release: () => this.#release(gpio, place.name, debounceMs) }
  }

  async stop(): Promise<void> {}

  /** onoff's debounce timer reads the descriptor once more: it must not be closed under it. */
  async #release(gpio: SysfsLine, name: string, debounceMs: number): Promise<void> {
    gpio.unwatchAll()
    if (debounceMs > 0) await wait(this.#clock, debounceMs + TIMER_SLACK_MS)
    attempt(`letting go of ${name}`, () => gpio.unexport())
  }

  #numberOf(place: LinePlace): number {
    const chip = findBase(this.#folder, place.chip)
    if (chip === null)
      throw new DeviceError('device.absent', `no GPIO chip is labelled ${place.chip}`)
    if (place.offset >= chip.lineCount)
      throw new DeviceError('device.absent', `${place.chip} has no line ${place.offset}`)
    return chip.base + place.offset
  }
}

/** Only changes are passed on: a bounce that ends where it began makes onoff call back, too. */
function watch(gpio: SysfsLine, clock: Clock, name: string, listener: InputListener): void {
  let last = gpio.readSync()
  gpio.watch((error, value) => {
    if (error) return listener.gone(deviceErrorOf(`watching ${name}`, error))
    if (value === last) return
    last = value
    listener.changed({ isActive: value === 1, at: clock.monotonicMs(), source: 'program' })
  })
}

/** The global number of a chip's first line, which differs between kernels and boards. Throws DeviceError. */
export function findBase(
  folder: string,
  label: string,
): { readonly base: number; readonly lineCount: number } | null {
  const read = (chip: string, file: string): string =>
    attempt(`looking into ${folder}/${chip}`, () =>
      readFileSync(`${folder}/${chip}/${file}`, 'utf8').trim(),
    )
  for (const chip of chipFolders(folder))
    if (read(chip, 'label') === label)
      return { base: Number(read(chip, 'base')), lineCount: Number(read(chip, 'ngpio')) }
  return null
}

function chipFolders(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => /^gpiochip\d+$/.test(name))
  } catch (error) {
    // A kernel without sysfs GPIO has no such folder.
    if (errnoOf(error) === 'ENOENT') return []
    throw deviceErrorOf(`looking into ${folder}`, error)
  }
}

async function loadOnoff(): Promise<OpenLine> {
  try {
    const { Gpio } = await import('onoff')
    return (...asked) => new Gpio(...asked)
  } catch (cause) {
    throw new BoxError(
      'native.missing',
      `onoff is not built for node ${process.version}: run "npm rebuild epoll", or use the character device`,
      { cause },
    )
  }
}

/** What failed before it is the failure to report. */
function unexportQuietly(gpio: SysfsLine): void {
  try {
    gpio.unexport()
  } catch (error) {
    if (errnoOf(error) === null) throw error
  }
}

function attempt<T>(what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw deviceErrorOf(what, error)
  }
}
