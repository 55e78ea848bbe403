/** What is plugged into a simulated machine; the far sides are whatever a test or the simulated venue puts there. */
import { DeviceError } from '../../runtime/core/errors.js'
import type { Attachments, ByteStream, PowerSupply } from '../../runtime/ports/host.js'
import { SimulatedByteStream } from './byte-stream.js'

export class SimulatedAttachments implements Attachments {
  readonly #streams = new Map<string, SimulatedByteStream>()
  readonly #supplies = new Map<string, string>()
  /** How many were asked for that may be beside one another, by place. */
  readonly #connections = new Map<string, number>()

  usbPrinter(which: string): ByteStream {
    return this.usb(which).stream()
  }

  tcpStream(host: string, port: number, use: 'alone' | 'beside' = 'alone'): ByteStream {
    if (use === 'alone') return this.tcp(host, port).stream()
    const place = `${host}:${port}`
    const connection = (this.#connections.get(place) ?? 0) + 1
    this.#connections.set(place, connection)
    return this.tcp(host, port, connection).stream()
  }

  powerSupply(name: string): PowerSupply {
    return {
      name,
      read: async () => {
        const uevent = this.#supplies.get(name)
        if (uevent === undefined)
          throw new DeviceError('device.absent', `there is no power supply ${name}`)
        return uevent
      },
    }
  }

  /** The far side of a USB printer. */
  usb(which: string): SimulatedByteStream {
    return this.#stream(`usb ${which}`)
  }

  /**
   * The far side of a connection.
   * @param connection which of those that are beside one another, from 1, in the order they were asked for
   */
  tcp(host: string, port: number, connection = 1): SimulatedByteStream {
    const place = `tcp ${host}:${port}`
    return this.#stream(connection === 1 ? place : `${place} (${connection})`)
  }

  /** @param uevent null: it is gone */
  setPowerSupply(name: string, uevent: string | null): void {
    if (uevent === null) this.#supplies.delete(name)
    else this.#supplies.set(name, uevent)
  }

  /** The process was killed: what it had open is free, and what is left of it hears nothing. */
  release(): void {
    for (const stream of this.#streams.values()) stream.release()
  }

  #stream(name: string): SimulatedByteStream {
    const known = this.#streams.get(name)
    if (known) return known
    const made = new SimulatedByteStream(name)
    this.#streams.set(name, made)
    return made
  }
}
