/** The far side of a simulated board's wires: chips that the drivers find, and what the page shows and presses. */

import type { Board } from '../boards/board.js'
import { SimulatedEscposPrinter } from '../drivers/simulated/escpos-printer.js'
import { usualPrinter } from '../drivers/simulated/escpos-printer-models.js'
import type { SimulatedHost } from '../drivers/simulated/host.js'
import { type GaugeWiring, plugDimmer, plugGauge } from '../drivers/simulated/venue.js'
import { waveshareBoards } from '../drivers/waveshare-ups.js'
import type { PowerConfig } from './config.js'
import { BoxError } from './core/errors.js'
import { check, number, object, oneOf, optional, string, withDefault } from './core/schema.js'
import { after } from './core/time.js'
import type { Fitted } from './fitting.js'
import type { SimulatedBoard } from './gateways/page/sources.js'
import type { Clock } from './ports/clock.js'

/** Plugs a chip in wherever a device of the box expects one; the first line a dimmer names is its output enable. */
export function plugChips(
  host: SimulatedHost,
  clock: Clock,
  fitted: readonly Fitted[],
  power: PowerConfig | null,
): void {
  for (const { device, driver, options, resources } of fitted) {
    if (driver === 'escpos-printer') plugPrinter(host, clock, options)
    const enableLine = resources.lines[0] ?? null
    for (const [bus, address] of resources.i2c)
      if (driver === 'pca9685-light') plugDimmer(host, clock, { bus, address, enableLine })
      else
        plugGauge(
          host,
          clock,
          { driver, bus, address },
          wiringOf(device.name, driver, options, power),
        )
  }
}

const gaugeOptions = object({
  shuntMilliohms: withDefault(number({ min: 0.1, max: 1_000 }), 100),
  model: optional(oneOf('b', 'c', 'd', '3s')),
}).loose()

/** The pack that box.json says is there, at the shunt that it says is fitted. */
function wiringOf(
  gauge: string,
  driver: string,
  options: unknown,
  power: PowerConfig | null,
): GaugeWiring {
  const pack = power?.packs.find(known => known.gauge === gauge)
  const { shuntMilliohms, model } = check(gaugeOptions, options, 'options')
  const isBoard = driver === 'waveshare-ups' && model !== undefined
  return {
    shuntMilliohms: isBoard ? waveshareBoards[model].shuntMilliohms : shuntMilliohms,
    cells: pack?.cells ?? 1,
    milliampHours: pack?.milliampHours ?? 3_000,
  }
}

const printerOptions = object({
  transport: object({ kind: string({ max: 16 }), which: optional(string({ max: 128 })) }).loose(),
  paper: withDefault(number({ min: 58, max: 80 }), 80),
}).loose()

/** A USB printer, switched on. What is in the network or behind a device file is real also here. */
function plugPrinter(host: SimulatedHost, clock: Clock, options: unknown): void {
  const { transport, paper } = check(printerOptions, options, 'options')
  const which = transport.which ?? 'any'
  if (transport.kind !== 'usb' || which.startsWith('/')) return
  const dotsPerLine = paper === 58 ? 384 : 576
  const printer = new SimulatedEscposPrinter(host.plugged.usb(which), clock, {
    ...usualPrinter,
    dotsPerLine,
  })
  printer.switchOn()
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
