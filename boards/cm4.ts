/**
 * Raspberry Pi Compute Module 4 on a carrier with the 40-pin header. Its Ethernet transceiver (BCM54210PE) stamps PTP
 * packets in hardware, which the Pi 4's does not.
 */
import type { Board } from './board.js'
import { broadcomWatchdog, headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const cm4: Board = {
  name: 'cm4',
  title: 'Raspberry Pi Compute Module 4',
  models: ['Raspberry Pi Compute Module 4'],
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
  ptp: { interface: 'eth0', hasHardwareTimestamps: true },
  hasRealTimeClock: false,
  memoryMegabytesMin: 1024,
}
