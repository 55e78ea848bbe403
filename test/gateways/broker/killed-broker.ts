/** A broker on a real disk, as a process of its own that the test kills. Arguments: database file, boot number. */
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { LinuxKeys } from '../../../drivers/linux/keys.js'
import { SqliteStore } from '../../../drivers/linux/sqlite.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { boxConfigSchema } from '../../../runtime/config.js'
import { Bus } from '../../../runtime/core/bus.js'
import { EmbeddedBroker } from '../../../runtime/gateways/broker/embedded-broker.js'
import type { Messages } from '../../../runtime/topics.js'

const [, , path = '', boot = '', passwordHash = ''] = process.argv
const place = { tour: 'spring', box: 'stage-left' }
const { broker: config } = boxConfigSchema.parse({ schemaVersion: 1, ...place })
if (config.kind !== 'embedded') throw new Error('the default broker is the embedded one')
const log = new SimulatedLog()
const store = new SqliteStore(path, log)
await store.open()
const broker = new EmbeddedBroker(
  {
    clock: new LinuxClock(ownAnchor()),
    log,
    bus: new Bus<Messages>(),
    store,
    keys: new LinuxKeys(),
    files: null,
  },
  {
    ...place,
    boot: Number(boot),
    config: { ...config, port: 0, limits: { ...config.limits, publishesPerSecond: 100_000 } },
    credentials: [
      { username: 'hub', role: 'hub', passwordHash },
      { username: 'stage-right', role: 'box', passwordHash },
    ],
    homeAssistant: { isEnabled: false, prefix: 'homeassistant' },
    heardTopics: [],
  },
)
await broker.start()
process.stdout.write(`port ${broker.ports().tcp}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
