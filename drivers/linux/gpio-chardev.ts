/**
 * Lines by the GPIO character device, uAPI v2: pull resistors, debouncing and time stamps are the kernel's.
 * Documentation/userspace-api/gpio/chardev.rst of the Linux kernel.
 */
import { closeSync } from 'node:fs'
import { DeviceError } from '../../runtime/core/errors.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Edges } from './edges.js'
import type {
  Found,
  GpioBackend,
  InputListener,
  LinePlace,
  TakenInput,
  TakenOutput,
} from './gpio-backend.js'
import { openChip } from './gpio-chips.js'
import {
  GpioRequest,
  isValueActive,
  type LineRequest,
  lineRequest,
  lineValues,
  requestedFd,
} from './gpio-uapi.js'
import { InputTracker } from './input-tracker.js'
import type { Libc } from './libc.js'

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
      closeSync(openChip(this.#libc, this.#folder, label))
      return 'found'
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error
      return error.code === 'device.denied' ? 'device.denied' : 'device.absent'
    }
  }

  async takeOutput(place: LinePlace, isActive: boolean): Promise<TakenOutput> {
    const fd = this.#request(place, { ...wiring(place), direction: 'out', isActive })
    return {
      fd,
      method: 'chardev',
      lastWord: isSafeActive => ({
        kind: 'line',
        chip: place.chip,
        offset: place.offset,
        isActiveLow: place.activeLevel === 'low',
        isActive: isSafeActive,
      }),
      release: () => closeSync(fd),
    }
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
    const chip = openChip(this.#libc, this.#folder, place.chip)
    try {
      this.#libc.ioctl(chip, GpioRequest.getLine, bytes, `taking ${place.name}`)
    } finally {
      closeSync(chip)
    }
    return requestedFd(bytes)
  }
}

const wiring = (place: LinePlace) => ({
  offset: place.offset,
  isActiveLow: place.activeLevel === 'low',
  bias: place.bias,
})
