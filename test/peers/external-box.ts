/** The part of a box that speaks to a broker which is not its own. */
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { SimulatedKeys } from '../../drivers/simulated/keys.js'
import type { ExternalBrokerConfig } from '../../runtime/config.js'
import { randomFrom } from '../../runtime/core/random.js'
import { ExternalBroker } from '../../runtime/gateways/broker/external-broker.js'
import type { Clock } from '../../runtime/ports/clock.js'
import type { Files } from '../../runtime/ports/files.js'
import { box, type Ears, listeningBus, tour } from '../gateways/broker/harness.js'

export interface ExternalSettings {
  readonly config?: Partial<ExternalBrokerConfig>
  readonly files?: Files
  readonly clock?: Clock
  readonly boot?: number
  /** How the box is called. */
  readonly name?: string
  readonly homeAssistant?: boolean
  readonly heardTopics?: readonly string[]
}

export interface ExternalBox extends Ears {
  readonly broker: ExternalBroker
}

/** Not started. */
export function externalBox(url: string, settings: ExternalSettings = {}): ExternalBox {
  const {
    boot = 1,
    name = box,
    config,
    files = null,
    homeAssistant = false,
    heardTopics = [],
  } = settings
  const { bus, log, commands, refusals } = listeningBus()
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
      box: name,
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
