/** The far side of a simulated board's wires: chips that the drivers find, and what the page shows and presses. */

import type { Board } from '../boards/board.js'
import type { SimulatedHost } from '../drivers/simulated/host.js'
import { plugDimmer } from '../drivers/simulated/venue.js'
import { BoxError } from './core/errors.js'
import { after } from './core/time.js'
import type { Fitted } from './fitting.js'
import type { SimulatedBoard } from './gateways/page/sources.js'
import type { Clock } from './ports/clock.js'

/** Plugs a chip in wherever a device of the box expects one; the first line a dimmer names is its output enable. */
export function plugChips(host: SimulatedHost, clock: Clock, fitted: readonly Fitted[]): void {
  for (const { driver, resources } of fitted) {
    if (driver !== 'pca9685-light') continue
    const enableLine = resources.lines[0] ?? null
    for (const [bus, address] of resources.i2c)
      plugDimmer(host, clock, { bus, address, enableLine })
  }
}

/** What the page needs of a simulated board: every wired line's state, and a finger for its buttons. */
export function simulatedBoard(
  host: SimulatedHost,
  board: Board,
  clock: Clock,
  fitted: readonly Fitted[],
): SimulatedBoard {
  return {
    lines: () =>
      board.lines.map(({ name, direction, headerPin }) => ({
        name,
        direction,
        isActive: host.wire(name).isActive,
        headerPin,
      })),
    press: (inputName, holdMs) => {
      const device = fitted.find(part => part.kind === 'input' && part.device.name === inputName)
      const line = device?.resources.lines[0]
      if (line === undefined)
        throw new BoxError('command.invalid', `there is no input "${inputName}"`)
      const wire = host.wire(line)
      wire.setActive(true)
      clock.runAt(after(clock.monotonicMs(), holdMs), () => wire.setActive(false))
    },
  }
}
