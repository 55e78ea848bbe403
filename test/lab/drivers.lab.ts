/** The drivers' programs, one after the other in one process: here a start takes longer than what most of them do. */
// First: its chips are as the machine made them.
import './gauge.lab.js'
import './lines.lab.js'
import './firing.lab.js'
import './i2c.lab.js'
import './sketch.lab.js'
import './serial.lab.js'
import './usb-printer.lab.js'
