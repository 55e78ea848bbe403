/** Serial ports: a terminal device without anything that a terminal does to bytes. */
import { execFile } from 'node:child_process'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { BoxError, DeviceError } from '../../runtime/core/errors.js'
import type { DeviceFile, Prepared } from './device-stream.js'
import { type Libc, openLibc } from './libc.js'

const STTY_MS_MAX = 5000
/** Requests of ioctl_tty(2). */
const TIOCEXCL = 0x540c

export interface SerialPortOptions {
  readonly name: string
  readonly path: string
  /** For a terminal device; other files have no speed. */
  readonly baudRate: number
}

export class SerialPort implements DeviceFile {
  readonly name: string
  readonly #options: SerialPortOptions

  constructor(options: SerialPortOptions) {
    this.name = options.name
    this.#options = options
  }

  async find(): Promise<string> {
    return this.#options.path
  }

  async prepare(fd: number, path: string): Promise<Prepared> {
    if (!isatty(fd)) return { beforeClose: () => {}, isEmptyReadTheEnd: false }
    await this.#makeRaw(path)
    const libc = await libcIfAny()
    // Another program that opened it would get half of what comes in. (The superuser still may.)
    libc?.ioctl(fd, TIOCEXCL, new Uint8Array(4), `claiming ${this.name}`)
    return {
      // Closing waits for what the far side has not taken, 30 s by default (`closing_wait` of tty_port(9)).
      beforeClose: () => libc?.dropOutput(fd),
      isEmptyReadTheEnd: true,
    }
  }

  /** Bytes as they are: no echo, no line editing, no translation of line ends. */
  async #makeRaw(path: string): Promise<void> {
    const baudRate = String(this.#options.baudRate)
    const args = ['-F', path, baudRate, 'raw', '-echo', 'clocal']
    try {
      await promisify(execFile)('stty', args, { timeout: STTY_MS_MAX })
    } catch (cause) {
      throw new DeviceError('device.io', `${this.name}: stty refuses ${baudRate} baud`, { cause })
    }
  }
}

/** Null where koffi has no binary: the port works, and takes its time to close when it is stuck. */
async function libcIfAny(): Promise<Libc | null> {
  try {
    return await openLibc()
  } catch (error) {
    if (error instanceof BoxError && error.code === 'native.missing') return null
    throw error
  }
}
