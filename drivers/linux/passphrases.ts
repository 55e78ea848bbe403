/** Secrets from a file, a descriptor or the terminal; never from arguments or the environment, which others can read. */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { isatty, ReadStream } from 'node:tty'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Passphrases } from '../../runtime/ports/signing-keys.js'
import { errnoOf } from './errno.js'

const SECRET_BYTES_MAX = 1024
const NEW_LENGTH_MIN = 12
const TRIES_MAX = 3
/** Ctrl-C and Ctrl-D. */
const GIVE_UP = ['\u0003', '\u0004']
const ERASE = ['\b', '\u007f']
const ENTER = ['\r', '\n']

/** Where they come from: a file, an open descriptor, or a person at this terminal. */
export type PassphraseSource =
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'descriptor'; readonly descriptor: number }
  | { readonly from: 'terminal'; readonly device: string }

export class LinuxPassphrases implements Passphrases {
  readonly #source: PassphraseSource
  #known: string | null = null
  /** By what it was for, how often one was wrong. */
  readonly #wrong = new Map<string, number>()

  constructor(source: PassphraseSource) {
    this.#source = source
  }

  async ask(what: string): Promise<string> {
    const source = this.#source
    if (source.from === 'terminal') return askAt(source.device, `Passphrase of ${what}: `)
    // A descriptor can be read once; the same secret is for all keys that are needed.
    this.#known ??=
      source.from === 'file' ? await readSecretFile(source.file) : readAll(source.descriptor)
    return this.#known
  }

  async askAgain(what: string): Promise<string | null> {
    const source = this.#source
    const wrong = (this.#wrong.get(what) ?? 0) + 1
    this.#wrong.set(what, wrong)
    if (source.from !== 'terminal' || wrong >= TRIES_MAX) return null
    return askAt(source.device, `That was wrong. Passphrase of ${what}: `)
  }

  async askNew(what: string): Promise<string> {
    const secret = await this.ask(what)
    if (secret.length < NEW_LENGTH_MIN)
      throw new BoxError(
        'key.denied',
        `a passphrase needs at least ${NEW_LENGTH_MIN} characters: some words in a row are good`,
      )
    if (this.#source.from === 'terminal' && (await this.ask(`${what}, again`)) !== secret)
      throw new BoxError('key.denied', 'the two passphrases are not the same')
    return secret
  }
}

async function readSecretFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const { mode } = await file.stat()
      if ((mode & 0o077) !== 0)
        throw new BoxError('key.denied', `${path} may be read by others: chmod 600 it`)
      return readAll(file.fd)
    } finally {
      await file.close()
    }
  } catch (cause) {
    if (errnoOf(cause) === null) throw cause
    throw new BoxError('key.denied', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

/** The first line. */
function readAll(descriptor: number): string {
  const bytes = Buffer.alloc(SECRET_BYTES_MAX + 1)
  let length = 0
  try {
    while (length < bytes.length) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null)
      if (count === 0) break
      length += count
    }
  } catch (cause) {
    throw new BoxError('key.denied', `descriptor ${descriptor} cannot be read: ${messageOf(cause)}`)
  }
  if (length > SECRET_BYTES_MAX)
    throw new BoxError('key.denied', `a passphrase has at most ${SECRET_BYTES_MAX} bytes`)
  const [first = ''] = bytes.toString('utf8', 0, length).split(/\r?\n/, 1)
  if (first === '') throw new BoxError('key.denied', 'the passphrase is empty')
  return first
}

/** The terminal of this process itself: standard input may be a file. Nothing that is typed is shown. */
async function askAt(device: string, prompt: string): Promise<string> {
  const descriptor = openTerminal(device)
  const terminal = new ReadStream(descriptor)
  try {
    terminal.setRawMode(true)
    writeSync(descriptor, prompt)
    return await typed(terminal)
  } finally {
    terminal.setRawMode(false)
    writeSync(descriptor, '\n')
    // Closes the descriptor, too.
    terminal.destroy()
  }
}

function openTerminal(device: string): number {
  try {
    const descriptor = openSync(device, constants.O_RDWR | constants.O_NOCTTY)
    if (isatty(descriptor)) return descriptor
    closeSync(descriptor)
  } catch (error) {
    if (errnoOf(error) === null) throw error
  }
  throw new BoxError(
    'key.denied',
    'nobody can be asked for the passphrase here: give --passphrase-file or --passphrase-fd',
  )
}

function typed(terminal: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown): void =>
      reject(new BoxError('key.denied', why, { cause }))
    const giveUp = (): void =>
      reject(new BoxError('key.given-up', 'no passphrase was given, and nothing was done'))
    let typed = ''
    const take = (letter: string): void => {
      if (ENTER.includes(letter)) resolve(typed)
      else if (GIVE_UP.includes(letter)) giveUp()
      else typed = afterLetter(typed, letter)
    }
    terminal.setEncoding('utf8').on('data', (text: string) => [...text].forEach(take))
    terminal.on('error', cause => refuse('the terminal cannot be read', cause))
    terminal.on('end', () => refuse('the terminal is gone'))
  })
}

const afterLetter = (typed: string, letter: string): string =>
  ERASE.includes(letter)
    ? [...typed].slice(0, -1).join('')
    : (typed + letter).slice(0, SECRET_BYTES_MAX)
