/**
 * Lines by the GPIO character device, uAPI v2: pull resistors, debouncing and time stamps are the kernel's.
 * Documentation/userspace-api/gpio/chardev.rst of the Linux kernel.
 */
import { closeSync, openSync, readdirSync } from 'node:fs'
import { DeviceError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Edges } from './edges.js'
import { deviceErrorOf } from './errno.js'
import type {
  Found,
  GpioBackend,
  InputListener,
  LinePlace,
  TakenInput,
  TakenOutput,
} from './gpio-backend.js'
import {
  CHIP_INFO_BYTES,
  GpioRequest,
  isValueActive,
  type LineRequest,
  lineRequest,
  lineValues,
  readChipLabel,
  requestedFd,
} from './gpio-uapi.js'
import { InputTracker } from './input-tracker.js'
import type { Libc } from './libc.js'

/** Which device files may be chips, lowest number first. */
export const chipFiles = (names: readonly string[]): string[] =>
  names
    .filter(name => /^gpiochip\d+$/.test(name))
    .sort((a, b) => Number(a.slice('gpiochip'.length)) - Number(b.slice('gpiochip'.length)))

export class ChardevGpio implements GpioBackend {
  readonly #clock: Clock
  readonly #libc: Libc
  readonly #edges: Edges
  readonly #folder: string

  /** @param options.folder where the device files are: /dev */
  constructor(clock: Clock, libc: Libc, edges: Edges, options: { readonly folder: string }) {
    this.#clock = clock
    this.#libc = libc
    this.#edges = edges
    this.#folder = options.folder
  }

  /** Whether a chip of that label can be opened. */
  look(label: string): Found {
    try {
      closeSync(this.#openChip(label))
      return 'found'
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      return error.code === 'device.denied' ? 'device.denied' : 'device.absent'
    }
  }

  async takeOutput(place: LinePlace, isActive: boolean): Promise<TakenOutput> {
    const fd = this.#request(place, { ...wiring(place), direction: 'out', isActive })
    return { fd, method: 'chardev', release: () => closeSync(fd) }
  }

  async takeInput(
    place: LinePlace,
    debounceMs: number,
    listener: InputListener,
  ): Promise<TakenInput> {
    const debounceMicroseconds = Math.round(debounceMs * 1000)
    const fd = this.#request(place, { ...wiring(place), direction: 'in', debounceMicroseconds })
    const isActive = (): boolean => this.#read(fd, place.name)
    try {
      const tracker = new InputTracker(this.#clock, isActive, listener)
      tracker.start()
      await this.#edges.watch(fd, {
        events: events => tracker.take(events),
        gone: () =>
          listener.gone(new DeviceError('device.absent', `${place.name}: the chip is gone`)),
      })
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return {
      isActive,
      release: async () => {
        await this.#edges.unwatch(fd)
        closeSync(fd)
      },
    }
  }

  async stop(): Promise<void> {
    await this.#edges.stop()
  }

  #read(fd: number, name: string): boolean {
    const values = lineValues(false)
    this.#libc.ioctl(fd, GpioRequest.getValues, values, `reading ${name}`)
    return isValueActive(values)
  }

  #request(place: LinePlace, request: LineRequest): number {
    const bytes = lineRequest(request)
    const chip = this.#openChip(place.chip)
    try {
      this.#libc.ioctl(chip, GpioRequest.getLine, bytes, `taking ${place.name}`)
    } finally {
      closeSync(chip)
    }
    return requestedFd(bytes)
  }

  /** Numbers of chips change between kernels and boards, labels do not. */
  #openChip(label: string): number {
    let denied: DeviceError | null = null
    for (const file of chipFiles(readdirSync(this.#folder))) {
      const opened = this.#tryChip(file, label)
      if (typeof opened === 'number') return opened
      if (opened?.code === 'device.denied') denied = opened
    }
    throw denied ?? new DeviceError('device.absent', `no GPIO chip is labelled ${label}`)
  }

  /** The open chip when it has the label; null when it has another; else why it cannot be asked. */
  #tryChip(file: string, label: string): number | DeviceError | null {
    const what = `opening GPIO chip ${label} as ${file}`
    let fd = -1
    try {
      fd = openSync(`${this.#folder}/${file}`, 'r+')
      const bytes = new Uint8Array(CHIP_INFO_BYTES)
      this.#libc.ioctl(fd, GpioRequest.getChipInfo, bytes, what)
      if (readChipLabel(bytes).label === label) return fd
    } catch (error) {
      if (fd >= 0) closeSync(fd)
      return deviceErrorOf(what, error)
    }
    closeSync(fd)
    return null
  }
}

const wiring = (place: LinePlace) => ({
  offset: place.offset,
  isActiveLow: place.activeLevel === 'low',
  bias: place.bias,
})
