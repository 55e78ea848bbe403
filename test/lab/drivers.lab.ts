/** The drivers' programs, one after the other in one process: here a start takes longer than what most of them do. */
import './lines.lab.js'
import './firing.lab.js'
import './i2c.lab.js'
import './sketch.lab.js'
