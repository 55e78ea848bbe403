/** The lines of a real kernel keep what every machine's lines promise, by both of its interfaces. */
import t, { type Test } from 'tap'
import type { BackendName } from '../../drivers/linux/gpio.js'
import type { LinuxHost } from '../../drivers/linux/host.js'
import { contractBoard, type LinesBench, linesContract } from '../ports/lines.contract.js'
import { block, clock, isHigh, offsetOf, pause, pull, startHost } from './far-side.js'

/**
 * One host for all tests, as a box has one for a whole evening: what a test leaves behind, the next one finds. It is
 * another one only after the last breath of the one before.
 */
function benches(t: Test, gpio: BackendName, first: LinuxHost): () => Promise<LinesBench> {
  let current: LinuxHost | null = first
  return async () => {
    const host = current ?? (await startHost(t, contractBoard, gpio)).host
    current = host
    const opened: { close(): Promise<void> }[] = []
    const remember = <T extends { close(): Promise<void> }>(line: T): T => {
      opened.push(line)
      return line
    }
    return {
      host: {
        outputLine: name => remember(host.outputLine(name)),
        inputLine: (name, options) => remember(host.inputLine(name, options)),
      },
      clock,
      physical: name => isHigh(offsetOf(contractBoard, name)),
      drive: (name, level) => {
        pull(offsetOf(contractBoard, name), level)
        // The lab's interrupts wait for the kernel's next tick: faster changes would be one.
        block(2)
      },
      pass: pause,
      // What a process does with its last breath; what the guard does after it is in guard.lab.ts.
      fallSilent: () => {
        host.safeNow()
        current = null
      },
      close: async () => {
        for (const line of opened) await line.close()
        if (current !== host) await host.stop()
      },
    }
  }
}

for (const gpio of ['chardev', 'sysfs'] as const)
  t.test(`lines by ${gpio}`, async t => {
    const { host, log } = await startHost(t, contractBoard, gpio)
    t.match(log.lines, [{ event: 'gpio.backend', facts: { backend: gpio } }])
    linesContract(t, benches(t, gpio, host))
  })
