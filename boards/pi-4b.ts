/**
 * Raspberry Pi 4 Model B. Its Ethernet block (bcmgenet) stamps nothing in hardware. Block addresses are those of the
 * BCM2711 manual in low-peripheral mode, with the bus at 0xfe000000.
 */
import type { Board } from './board.js'
import { broadcomWatchdog, headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const pi4b: Board = {
  name: 'pi-4b',
  title: 'Raspberry Pi 4 Model B',
  models: ['Raspberry Pi 4 Model B'],
  gpioChip: 'pinctrl-bcm2711',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [printerPort('/dev/serial0')],
  pwmOutputs: venuePwm('fe20c000.pwm'),
  statusLeds: [
    { name: 'activity', path: 'ACT' },
    { name: 'power', path: 'PWR' },
  ],
  watchdog: broadcomWatchdog,
  ptp: { interface: 'eth0', hasHardwareTimestamps: false },
  hasRealTimeClock: false,
  memoryMegabytesMin: 1024,
}
