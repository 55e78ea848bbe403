/** A venue box made of memory: same names as the real ones, so that a box.json runs on a laptop unchanged. */
import type { Board } from './board.js'
import { headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const simulated: Board = {
  name: 'simulated',
  title: 'Simulated venue box',
  models: [],
  gpioChip: 'simulated',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [printerPort('simulated')],
  pwmOutputs: venuePwm('simulated'),
  statusLeds: [],
  watchdog: null,
  ptp: { interface: 'lo', hasHardwareTimestamps: false },
  hasRealTimeClock: true,
  memoryMegabytesMin: 512,
}
