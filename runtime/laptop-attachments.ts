import type { Attachments } from './ports/host.js'

/**
 * What is plugged into a simulated board. A connection, a battery of the kernel's and a printer that is named by its
 * device file are those of the machine it runs on; a printer that nobody could have meant in particular, `any` or one
 * with a serial number, is simulated.
 */
export function laptopAttachments({
  real,
  simulated,
}: {
  readonly real: Attachments
  readonly simulated: Attachments
}): Attachments {
  return {
    usbPrinter: which => (which.startsWith('/') ? real : simulated).usbPrinter(which),
    tcpStream: (host, port, use) => real.tcpStream(host, port, use),
    powerSupply: name => real.powerSupply(name),
  }
}
