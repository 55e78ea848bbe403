/** The programs that start boxes, one after the other on one machine. */
import './exit.lab.js'
import './pm2.lab.js'
// Last: a box that was killed leaves lines behind that nobody else gets.
import './guard.lab.js'
