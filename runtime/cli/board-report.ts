import type { Board } from '../../boards/board.js'
import { renderPinMap } from '../../boards/pin-map.js'
import type { Report } from './actions.js'

/** @param wiring which device uses a line, bus or output of the board, by its name */
export const boardReport = (
  board: Board,
  wiring: ReadonlyMap<string, string>,
  isColour: boolean,
): Report => ({
  text: renderPinMap(board, wiring, { isColour }),
  json: { board, wiring: Object.fromEntries(wiring) },
})
