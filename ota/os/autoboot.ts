/**
 * autoboot.txt of the Raspberry Pi, as documentation/asciidoc/computers/config_txt/autoboot.adoc describes it. It is
 * never written anew: each change is one digit where it stands, so that any mixture of before and after is one of both.
 */
import { BoxError } from '../../runtime/core/errors.js'

/** The firmware reads no more. */
const AUTOBOOT_BYTES_MAX = 512
const ZERO = 0x30

export interface Autoboot {
  /** What is booted without a wish. */
  readonly usual: Choice
  /** What is booted once, on trial. */
  readonly trial: Choice
}

export interface Choice {
  readonly partition: number
  /** Where its only digit stands in the file, in bytes. */
  readonly offset: number
}

interface Line {
  readonly section: string
  readonly text: string
  readonly offset: number
}

/** @throws BoxError `os.unsupported` for a file that does not say exactly what is needed, or says it in another way */
export function parseAutoboot(bytes: Uint8Array | null): Autoboot {
  if (bytes === null) throw unsupported('there is none')
  if (bytes.length > AUTOBOOT_BYTES_MAX) throw unsupported(`more than ${AUTOBOOT_BYTES_MAX} bytes`)
  if (bytes.some(byte => byte > 0x7e)) throw unsupported('not all of it is ASCII')
  const lines = linesOf(new TextDecoder().decode(bytes))
  const isSwitching = lines.some(
    ({ section, text }) => section === 'all' && text === 'tryboot_a_b=1',
  )
  if (!isSwitching) throw unsupported('tryboot_a_b=1 is missing in [all]')
  const [usual, trial] = [choiceOf(lines, 'all'), choiceOf(lines, 'tryboot')]
  // The firmware takes what it reads last.
  if (trial.offset < usual.offset) throw unsupported('[tryboot] must come after [all]')
  return { usual, trial }
}

/** The byte that makes the choice another one. */
export function digitOf(partition: number): Uint8Array {
  if (!Number.isInteger(partition) || partition < 1 || partition > 9)
    throw unsupported(`partition ${partition} has no single digit`)
  return Uint8Array.of(ZERO + partition)
}

function choiceOf(lines: readonly Line[], section: string): Choice {
  const found = lines.filter(
    line => line.section === section && line.text.startsWith('boot_partition='),
  )
  const [line] = found
  if (line === undefined || found.length > 1)
    throw unsupported(`[${section}] must have one line with boot_partition`)
  const digit = /^boot_partition=([1-9])$/.exec(line.text)
  if (!digit) throw unsupported(`"${line.text.slice(0, 40)}" is not a number from 1 to 9`)
  return { partition: Number(digit[1]), offset: line.offset + 'boot_partition='.length }
}

/** Lines with what they are under; before the first heading all of it is [all]. */
function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let section = 'all'
  let offset = 0
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const heading = /^\[([^\]]*)\]$/.exec(line)
    if (heading) section = heading[1] ?? ''
    else lines.push({ section, text: line, offset })
    offset += raw.length + 1
  }
  return lines
}

const unsupported = (why: string): BoxError =>
  new BoxError('os.unsupported', `autoboot.txt cannot be used: ${why}`)
