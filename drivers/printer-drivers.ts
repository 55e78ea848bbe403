/** The catalogue's printers. */
import { codePageNames } from '../runtime/core/code-pages.js'
import {
  boolean,
  choice,
  either,
  integer,
  name as lineName,
  literal,
  nullable,
  number,
  type Of,
  object,
  oneOf,
  pattern,
  string,
  withDefault,
} from '../runtime/core/schema.js'
import type { ByteStream, Host } from '../runtime/ports/host.js'
import { encodeTicket } from './escpos-encode.js'
import { EscposPrinter } from './escpos-printer.js'
import { type DriverEntry, entry } from './recipe.js'

/** How the box reaches the printer. */
const transport = choice(
  'kind',
  object({
    kind: literal('usb'),
    /** `any` for the only one, a serial number as the printer tells it, or a device file. */
    which: withDefault(string({ min: 1, max: 128 }), 'any'),
  }),
  object({
    kind: literal('tcp'),
    host: pattern(
      /^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39})$/,
      'a host name or an address, without a port',
      253,
    ),
    port: withDefault(integer({ min: 1, max: 65_535 }), 9100),
  }),
  object({
    kind: literal('serial'),
    /** A serial port of the board. */
    port: lineName,
  }),
)

type Transport = Of<typeof transport>

const escposOptions = object({
  transport,
  /** Width of the paper in millimetres. */
  paper: withDefault(either(literal(58), literal(80)), 80),
  /** Of the head; 384 for 58 mm and 576 for 80 mm when left out. */
  dotsPerLine: withDefault(nullable(integer({ min: 128, max: 1024 })), null),
  codePage: withDefault(oneOf(...codePageNames), 'cp858'),
  /** Whether the printer draws QR codes and barcodes, or is sent their dots. */
  codes: withDefault(oneOf('native', 'raster'), 'native'),
  hasCutter: withDefault(boolean, true),
  hasPartialCut: withDefault(boolean, true),
  /** From the head to the cutter or the tear bar. */
  tearMillimetres: withDefault(number({ min: 0, max: 50 }), 14),
  /** Whether it may be in a mode for Chinese or Japanese letters, which a ticket then ends. */
  hasKanjiMode: withDefault(boolean, true),
  /** Whether it knows `GS P`. */
  hasMotionUnits: withDefault(boolean, true),
  /** How it says that a ticket is printed; `auto` finds out. */
  confirmation: withDefault(oneOf('auto', 'process-id', 'status-reply', 'none'), 'auto'),
  /** Beyond the time that the ticket takes. */
  confirmSeconds: withDefault(integer({ min: 2, max: 600 }), 30),
  /** How long a person may take to bring paper in the middle of a ticket. */
  stallMinutes: withDefault(integer({ min: 1, max: 1_440 }), 30),
  statusEverySeconds: withDefault(integer({ min: 1, max: 300 }), 5),
  /** The level of the drawer's contact when it is open; null: there is no drawer to look at. */
  drawerOpenAt: withDefault(nullable(oneOf('high', 'low')), null),
})

type EscposOptions = Of<typeof escposOptions>

const DOTS_PER_LINE = { 58: 384, 80: 576 } as const

const paperOf = ({ paper, dotsPerLine, codePage }: EscposOptions) =>
  ({
    widthMillimetres: paper,
    dotsPerLine: dotsPerLine ?? DOTS_PER_LINE[paper],
    dotsPerMillimetre: 8,
    codePage,
  }) as const

function streamOf(host: Host, way: Transport): ByteStream {
  switch (way.kind) {
    case 'usb':
      return host.usbPrinter(way.which)
    case 'tcp':
      return host.tcpStream(way.host, way.port)
    case 'serial':
      return host.byteStream(way.port)
  }
}

function wayInWords(way: Transport): string {
  switch (way.kind) {
    case 'usb':
      return `the USB printer ${way.which}`
    case 'tcp':
      return `the address ${way.host}:${way.port}`
    case 'serial':
      return `the serial port "${way.port}"`
  }
}

const cutterOf = ({ hasCutter, hasPartialCut }: EscposOptions): 'none' | 'full' | 'partial' =>
  hasCutter ? (hasPartialCut ? 'partial' : 'full') : 'none'

export const printerDrivers: Readonly<Record<string, DriverEntry>> = {
  'escpos-printer': entry({
    kind: 'printer',
    summary: 'A receipt printer that speaks ESC/POS, on USB, in the network or on a serial port',
    schema: escposOptions,
    resources: options => ({ streams: [wayInWords(options.transport)] }),
    build: (name, options, host, clock) => {
      const paper = paperOf(options)
      const printer = new EscposPrinter(
        streamOf(host, options.transport),
        clock,
        ticket => encodeTicket(ticket, paper, options),
        {
          name,
          paper,
          isSerial: options.transport.kind === 'serial',
          confirmation: options.confirmation,
          cutter: cutterOf(options),
          drawerOpenAt: options.drawerOpenAt,
          confirmMs: options.confirmSeconds * 1000,
          stallMs: options.stallMinutes * 60_000,
          statusEveryMs: options.statusEverySeconds * 1000,
        },
      )
      return { kind: 'printer', device: printer }
    },
  }),
}
