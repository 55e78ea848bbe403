import t from 'tap'
import { simulated as board } from '../../boards/simulated.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { SimulatedFiles } from '../../drivers/simulated/files.js'
import { SimulatedHost } from '../../drivers/simulated/host.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { SimulatedStore } from '../../drivers/simulated/store.js'
import { SimulatedVitals } from '../../drivers/simulated/vitals.js'
import type { Machine } from '../../runtime/machine.js'
import { Rehearsal } from '../../runtime/rehearsal.js'

/** On the real clock: how long things take is what is rehearsed. */
function bench(changes: Partial<Machine> = {}) {
  const clock = new LinuxClock(ownAnchor())
  const log = new SimulatedLog()
  const touched: string[] = []
  const machine: Machine = {
    board,
    clock,
    log,
    store: told('store', new SimulatedStore(), touched),
    files: told('files', new SimulatedFiles(), touched),
    network: told('network', new SimulatedNetwork(clock), touched),
    vitals: told('vitals', new SimulatedVitals(), touched),
    host: told('host', new SimulatedHost(board, clock), touched),
    keys: new LinuxKeys(),
    bootId: 'boot',
    simulated: null,
    onOutputsLost: () => void touched.push('outputs'),
    ...changes,
  }
  return { log, touched, rehearsal: new Rehearsal(machine) }
}

/** The same part, which writes down every call. */
function told<T extends object>(name: string, part: T, touched: string[]): T {
  return new Proxy(part, {
    get: (target, key): unknown => {
      touched.push(`${name}.${String(key)}`)
      return Reflect.get(target, key, target)
    },
  })
}

t.test('the rehearsal is played to its end, and touches nothing of the machine', async t => {
  const { log, touched, rehearsal } = bench()
  await rehearsal.start()
  await rehearsal.stop()
  t.same(log.events(), ['rehearsal.done'])
  t.same(touched, [])
})

t.test('a rehearsal that fails is a line in the log, and the box goes on', async t => {
  const keys = {
    randomBytes: (count: number) => new Uint8Array(count),
    sha256Hex: () => {
      throw new Error('no digests here')
    },
  }
  const { log, rehearsal } = bench({ keys })
  await rehearsal.start()
  t.same(log.events('warn'), ['rehearsal.failed'])
})
