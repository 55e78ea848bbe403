/**
 * A Linux kernel with simulated hardware (gpio-sim, i2c-stub, softdog, a USB serial gadget): real device files, no Pi.
 * gpio-sim carries a Pi 4's chip label, so that what is proven here is what runs there. There is no PWM to simulate.
 */
import type { Board } from './board.js'
import { headerBus, printerPort, venueLines } from './venue-wiring.js'

export const lab: Board = {
  name: 'lab',
  title: 'Lab kernel with simulated hardware',
  models: [],
  gpioChip: 'pinctrl-bcm2711',
  lines: [...venueLines],
  i2cBuses: [headerBus],
  serialPorts: [
    { ...printerPort('/dev/ttyACM0'), transmitPin: null, receivePin: null, baudRate: 115_200 },
  ],
  pwmOutputs: [],
  statusLeds: [],
  watchdog: { path: '/dev/watchdog', timeoutSecondsMax: 60 },
  ptp: { interface: 'eth0', hasHardwareTimestamps: false },
  hasRealTimeClock: false,
  memoryMegabytesMin: 256,
}
