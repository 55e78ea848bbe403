/** A terminal whose far side is this program: pty(7). */
import { closeSync, constants, openSync, readSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import type { Libc } from '../../drivers/linux/libc.js'
import { Arrived } from './byte-stream.contract.js'

/** Requests of ioctl_tty(2). */
const TIOCSPTLCK = 0x4004_5431
const TIOCGPTN = 0x8004_5430

export class PseudoTerminal {
  readonly arrived = new Arrived()
  readonly #libc: Libc
  readonly #path: string
  readonly #buffer = new Uint8Array(4096)
  #master = -1
  isTaking = true

  /** @param path where the near side is found: another terminal each time it is plugged */
  constructor(libc: Libc, path: string) {
    this.#libc = libc
    this.#path = path
  }

  plug(): void {
    const number = new Uint32Array(1)
    const bytes = new Uint8Array(number.buffer)
    const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK
    this.#master = openSync('/dev/ptmx', flags)
    this.#libc.ioctl(this.#master, TIOCSPTLCK, bytes, 'unlocking a terminal')
    this.#libc.ioctl(this.#master, TIOCGPTN, bytes, 'naming a terminal')
    symlinkSync(`/dev/pts/${number[0]}`, this.#path)
    this.isTaking = true
    this.arrived.clear()
  }

  unplug(): void {
    if (this.#master === -1) return
    closeSync(this.#master)
    rmSync(this.#path, { force: true })
    this.#master = -1
  }

  say(bytes: Uint8Array): void {
    writeSync(this.#master, bytes)
  }

  read(): void {
    try {
      while (this.isTaking && this.#master !== -1)
        this.arrived.push(this.#buffer.slice(0, readSync(this.#master, this.#buffer)))
    } catch {
      // There is nothing more to read, or nobody has the near side open.
    }
  }
}
