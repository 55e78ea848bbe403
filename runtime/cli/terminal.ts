import pc from 'picocolors'

/** Where the command line writes. Colors only where a person looks. */
export interface Terminal {
  /** Standard output, as it is. */
  write(text: string): void
  /** Standard error, as it is. */
  writeError(text: string): void
  readonly isColour: boolean
}

export type Paint = ReturnType<typeof pc.createColors>
export const paintFor = (terminal: Terminal): Paint => pc.createColors(terminal.isColour)

/** One JSON document, for programs. */
export const writeJson = (terminal: Terminal, value: unknown): void =>
  terminal.write(`${JSON.stringify(value, null, 2)}\n`)

/**
 * Of what the system or the network said, and what must not move the cursor, end the line, or change the direction in which
 * it is read (Unicode UAX #9, 2): then the words before it could not be believed either.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ')
