/** What is plugged into this machine or reached over its network. */
import type { Clock } from '../../runtime/ports/clock.js'
import type { Attachments, ByteStream, PowerSupply } from '../../runtime/ports/host.js'
import { Claims } from './claims.js'
import { DeviceStream } from './device-stream.js'
import { KernelPowerSupply, POWER_SUPPLIES } from './power-supply.js'
import { TcpStream } from './tcp-stream.js'
import { USB_PRINTERS, UsbPrinterFile } from './usb-printer.js'

export class LinuxAttachments implements Attachments {
  readonly #clock: Clock
  readonly #claims: Claims

  /** @param claims what is open in this process */
  constructor(clock: Clock, claims: Claims) {
    this.#clock = clock
    this.#claims = claims
  }

  usbPrinter(which: string): ByteStream {
    return new DeviceStream(this.#clock, this.#claims, new UsbPrinterFile(which, USB_PRINTERS))
  }

  tcpStream(host: string, port: number, use: 'alone' | 'beside' = 'alone'): ByteStream {
    const claims = use === 'alone' ? this.#claims : new Claims()
    return new TcpStream(this.#clock, claims, { host, port })
  }

  powerSupply(name: string): PowerSupply {
    return new KernelPowerSupply({ name, folder: POWER_SUPPLIES })
  }
}
