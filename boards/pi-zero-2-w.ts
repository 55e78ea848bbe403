/** Raspberry Pi Zero 2 W: a Pi 3 in a quarter of the space, with one LED and Wi-Fi only, so stamps come from the kernel. */
import type { Board } from './board.js'
import { broadcomWatchdog, headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const piZero2W: Board = {
  name: 'pi-zero-2-w',
  title: 'Raspberry Pi Zero 2 W',
  models: ['Raspberry Pi Zero 2 W', 'Raspberry Pi Zero 2'],
  gpioChip: 'pinctrl-bcm2835',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [printerPort('/dev/serial0')],
  pwmOutputs: venuePwm('3f20c000.pwm'),
  statusLeds: [{ name: 'activity', path: 'ACT' }],
  watchdog: broadcomWatchdog,
  ptp: { interface: 'wlan0', hasHardwareTimestamps: false },
  hasRealTimeClock: false,
  memoryMegabytesMin: 512,
}
