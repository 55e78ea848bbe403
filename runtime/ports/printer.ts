import type { Cancel } from './clock.js'
import type { Device } from './devices.js'
import type { Ticket } from './ticket.js'

/** The letters that a printer has beside ASCII. */
export type CodePageName = 'cp437' | 'cp850' | 'cp852' | 'cp858' | 'cp866' | 'windows-1252'

/** What a printer prints on, and with which letters. */
export interface Paper {
  readonly widthMillimetres: 58 | 80
  /** Of the head: what is printed may be so wide. 384 and 576 are usual. */
  readonly dotsPerLine: number
  /** 8 for the usual 203 dpi. */
  readonly dotsPerMillimetre: number
  readonly codePage: CodePageName
}

/** What a printer says of itself. Null: it has not said, or cannot. */
export interface PrinterStatus {
  readonly isOnline: boolean | null
  readonly paper: 'enough' | 'near-end' | 'end' | null
  readonly isCoverOpen: boolean | null
  readonly error: 'none' | 'cutter' | 'recoverable' | 'unrecoverable' | null
  readonly isDrawerOpen: boolean | null
}

/** What became of one ticket. */
export type PrintOutcome =
  /** The printer said, after the last byte, that it had processed everything before its answer. */
  | { readonly kind: 'confirmed'; readonly by: 'process-id' | 'status-reply' }
  /** Everything was handed over, to a printer that has no means to confirm. */
  | { readonly kind: 'sent' }
  /** Not one byte of the ticket has left: it may be printed as if it had never been tried. */
  | { readonly kind: 'untouched'; readonly why: Error }
  /** Some of it may be on paper, or all of it. */
  | { readonly kind: 'unknown'; readonly why: Error }

export interface PrintProgress {
  /** Of the ticket's own bytes; what surrounds it is not counted. */
  readonly sentBytes: number
  readonly totalBytes: number
}

export interface Printer extends Device {
  readonly paper: Paper
  /** As last heard. */
  status(): PrinterStatus
  /** Why a ticket cannot be begun now, or null when it can. */
  hindrance(): Hindrance | null
  onStatus(listener: (status: PrinterStatus) => void): Cancel
  /** Length of paper that the ticket takes. @throws BoxError `ticket.invalid` for what this head cannot print */
  measure(ticket: Ticket): number
  /**
   * Prints one ticket; one at a time. Waits through what a person can mend (paper, cover), `stop` ends the wait.
   * Never rejects. `progress` is called at least before the first byte leaves.
   */
  print(ticket: Ticket, progress: (progress: PrintProgress) => void): Promise<PrintOutcome>
}

export type Hindrance = 'absent' | 'busy' | 'offline' | 'paper-end' | 'cover-open' | 'error'
