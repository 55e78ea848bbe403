/** All boards, and which one a name or a machine's own description means. */
import { BoxError, ConfigError } from '../runtime/core/errors.js'
import { suggestion } from '../runtime/core/nearest.js'
import type { Board } from './board.js'
import { cm4 } from './cm4.js'
import { lab } from './lab.js'
import { pi3bPlus } from './pi-3b-plus.js'
import { pi4b } from './pi-4b.js'
import { pi5 } from './pi-5.js'
import { piZero2W } from './pi-zero-2-w.js'
import { simulated } from './simulated.js'

export const boards: readonly Board[] = [simulated, lab, piZero2W, pi3bPlus, pi4b, cm4, pi5]

/** @throws ConfigError that lists the known ones. */
export function boardByName(name: string): Board {
  const board = boards.find(candidate => candidate.name === name)
  if (board) return board
  const known = boards.map(candidate => candidate.name)
  throw new ConfigError([
    {
      path: 'board',
      message: `"${name}" is not a known board${suggestion(name, known)}; known are ${known.join(', ')}`,
      place: null,
    },
  ])
}

/**
 * @param model what /proc/device-tree/model says; the kernel ends it with a NUL
 * @throws BoxError `board.unknown`
 */
export function detectBoard(model: string): Board {
  const text = model.split('\0')[0]?.trim() ?? ''
  let best: { readonly board: Board; readonly length: number } | null = null
  for (const board of boards)
    for (const prefix of board.models)
      if (beginsWith(text, prefix) && prefix.length > (best?.length ?? 0))
        best = { board, length: prefix.length }
  if (best) return best.board
  const known = boards.flatMap(board => board.models)
  throw new BoxError(
    'board.unknown',
    `this machine calls itself "${text}", which no board file knows; known are ${known.join(', ')}. ` +
      'Choose one with --board NAME, or add a file to boards/ as docs/contributing.md shows under "Add a board"',
  )
}

/** In whole words: a Raspberry Pi 500 is not a Raspberry Pi 5, nor a Compute Module 4S a Compute Module 4. */
const beginsWith = (text: string, prefix: string): boolean =>
  text === prefix || text.startsWith(`${prefix} `)
