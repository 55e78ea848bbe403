/** Opens an output, an input and an ordinary file as an output, switches on, and ends in the way that is asked for. */
import { openSync } from 'node:fs'
import { Firing } from '../../drivers/linux/firing.js'
import { lineWriter } from '../../drivers/linux/line-writer.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { assert } from '../../runtime/core/errors.js'
import { after } from '../../runtime/core/time.js'
import { contractBoard } from '../ports/lines.contract.js'
import { clock, makeHost } from './far-side.js'

const [ending, file] = process.argv.slice(2)
assert(file !== undefined, 'a file stands in for a lamp')

const { host } = makeHost(contractBoard, 'chardev')
await host.start()
const lamp = host.outputLine('lamp')
await lamp.open(true)
const button = host.inputLine('button', { debounceMs: 0 })
await button.open()

const options = { lineCount: 1, heartbeatMs: 3000 }
const firing = new Firing(clock, new SimulatedLog(), lineWriter(null), options)
await firing.start()
const line = { fd: openSync(file, 'w'), method: 'file', isSafeActive: false } as const
const output = firing.takeLine('file', line)
output.set(true)
output.setAt(true, after(clock.monotonicMs(), 60_000), () => {})

if (ending === 'exit') process.exit(3)
if (ending === 'throw')
  setTimeout(() => {
    throw new Error('a bug')
  }, 1)
if (ending === 'stop') {
  await button.close()
  await lamp.close()
  await host.stop()
  firing.releaseLine(output)
  await firing.stop()
}
