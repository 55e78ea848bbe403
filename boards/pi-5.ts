/**
 * Raspberry Pi 5. Header lines, UART 0 and PWM sit in the RP1 chip; /dev/serial0 is the debug connector here, not the
 * header, so the printer is named directly and config.txt needs `dtoverlay=uart0-pi5`.
 * The Ethernet block in RP1 stamps PTP packets in hardware; the clock chip needs its battery on J5.
 */
import type { Board } from './board.js'
import { broadcomWatchdog, headerBus, printerPort, venueLines, venuePwm } from './venue-wiring.js'

export const pi5: Board = {
  name: 'pi-5',
  title: 'Raspberry Pi 5',
  models: ['Raspberry Pi 5 Model B'],
  gpioChip: 'pinctrl-rp1',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [printerPort('/dev/ttyAMA0')],
  pwmOutputs: venuePwm('1f00098000.pwm'),
  statusLeds: [
    { name: 'activity', path: 'ACT' },
    { name: 'power', path: 'PWR' },
  ],
  watchdog: broadcomWatchdog,
  ptp: { interface: 'eth0', hasHardwareTimestamps: true },
  hasRealTimeClock: true,
  memoryMegabytesMin: 1024,
}
