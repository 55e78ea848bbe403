/** The part of a box that speaks to a broker which is not its own. */
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import type { ExternalBrokerConfig } from '../../runtime/config.js'
import { Bus } from '../../runtime/core/bus.js'
import { randomFrom } from '../../runtime/core/random.js'
import { ExternalBroker } from '../../runtime/gateways/broker/external-broker.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Files } from '../../runtime/ports/files.js'
import type { Messages, Payload, ShowCommand } from '../../runtime/topics.js'
import { box, tour } from '../gateways/broker/harness.js'

export interface ExternalSettings {
  readonly config?: Partial<ExternalBrokerConfig>
  readonly files?: Files
  readonly clock?: Clock
  readonly boot?: number
  readonly homeAssistant?: boolean
  readonly heardTopics?: readonly string[]
}

export interface ExternalBox {
  readonly broker: ExternalBroker
  readonly bus: Bus<Messages>
  readonly log: SimulatedLog
  readonly commands: ShowCommand[]
  readonly refusals: Payload<'message/refused'>[]
}

/** Not started. */
export function externalBox(url: string, settings: ExternalSettings = {}): ExternalBox {
  const { boot = 1, config, files = null, homeAssistant = false, heardTopics = [] } = settings
  const bus = new Bus<Messages>()
  const log = new SimulatedLog()
  const commands: ShowCommand[] = []
  const refusals: Payload<'message/refused'>[] = []
  bus.subscribe('command/received', command => void commands.push(command))
  bus.subscribe('message/refused', refusal => void refusals.push(refusal))
  const broker = new ExternalBroker(
    {
      clock: settings.clock ?? new LinuxClock(ownAnchor()),
      log,
      bus,
      keys: new SimulatedKeys(randomFrom(boot)),
      files,
    },
    {
      tour,
      box,
      boot,
      config: {
        kind: 'external',
        url,
        username: null,
        passwordFile: null,
        certificateAuthority: null,
        certificate: null,
        key: null,
        ...config,
      },
      homeAssistant: { isEnabled: homeAssistant, prefix: 'homeassistant' },
      heardTopics,
    },
  )
  return { broker, bus, log, commands, refusals }
}
