/** Prints a big ticket on the lab's USB printer, for a test that kills it meanwhile. */
import { encodeTicket, escposOptionsUsual } from '../../drivers/escpos-encode.js'
import { EscposPrinter } from '../../drivers/escpos-printer.js'
import { LinuxAttachments } from '../../drivers/linux/attachments.js'
import { Claims } from '../../drivers/linux/claims.js'
import { bigTicket, paper, usualOptions } from '../drivers/printer-bench.js'
import { clock } from './far-side.js'

const printer = new EscposPrinter(
  new LinuxAttachments(clock, new Claims()).usbPrinter('any'),
  clock,
  ticket => encodeTicket(ticket, paper, escposOptionsUsual),
  usualOptions,
)
await printer.start()
await printer.print(bigTicket(process.argv[2] ?? 'none', 4), () => {})
