/**
 * Raspberry Pi 3 Model B+, and the plain 3 B, which differs in nothing a box uses. The Ethernet port hangs on USB: no
 * hardware stamps. Block addresses are those of the BCM2835 manual with the bus at 0x3f000000.
 */
import type { Board } from './board.js'
import { broadcomWatchdog, headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const pi3bPlus: Board = {
  name: 'pi-3b-plus',
  title: 'Raspberry Pi 3 Model B+',
  models: ['Raspberry Pi 3 Model B', 'Raspberry Pi 3 Model B Plus'],
  gpioChip: 'pinctrl-bcm2835',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [printerPort('/dev/serial0')],
  pwmOutputs: venuePwm('3f20c000.pwm'),
  statusLeds: [
    { name: 'activity', path: 'ACT' },
    { name: 'power', path: 'PWR' },
  ],
  watchdog: broadcomWatchdog,
  ptp: { interface: 'eth0', hasHardwareTimestamps: false },
  hasRealTimeClock: false,
  memoryMegabytesMin: 1024,
}
