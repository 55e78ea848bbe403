/** The other boxes of the venue: pieces from them and for them, and the switch together. */

import { connect } from 'node:net'
import { relative, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { LinuxClock } from '../../drivers/linux/clock.js'
import type { LinuxFiles } from '../../drivers/linux/files.js'
import { LinuxFiles as Files } from '../../drivers/linux/files.js'
import type { LinuxKeys } from '../../drivers/linux/keys.js'
import { LinuxPeerLink } from '../../drivers/linux/peer-link.js'
import { messageOf } from '../../runtime/core/errors.js'
import type { Service } from '../../runtime/core/lifecycle.js'
import { ExternalLink } from '../../runtime/gateways/broker/external-link.js'
import type { OtaAnswer } from '../../runtime/gateways/page/api.js'
import { type BrokerWay, MqttPeerBoard } from '../../runtime/gateways/peers/mqtt-peer-board.js'
import type { Log } from '../../runtime/ports/log.js'
import { Peers } from '../fetch/peers.js'
import type { Shelf } from '../fetch/shelf.js'
import { BoardVoice } from '../updater/board-voice.js'
import type { CriteriaView } from '../updater/criteria.js'
import type { OsVoice } from '../updater/os-word.js'
import type { SlotWork } from '../updater/parts.js'
import { Together } from '../updater/together.js'
import type { UpdaterConfig } from '../updater/updater-config.js'
import { VenueRecords } from '../updater/venue-record.js'
import type { BoxDoor } from './box-door.js'

export interface VenueParts {
  /** Folder of `ota.json`, and of the files that it names. */
  readonly home: string
  readonly config: UpdaterConfig
  readonly venue: NonNullable<UpdaterConfig['venue']>
  readonly clock: LinuxClock
  readonly log: Log
  readonly keys: LinuxKeys
  readonly shelf: Shelf
  readonly files: LinuxFiles
  readonly door: BoxDoor
  readonly mayUseUplink: () => boolean
}

export interface OpenVenue {
  readonly peers: Peers
  readonly services: readonly Service[]
  readonly fleet: (digest: string | null) => CriteriaView['fleet']
  readonly systems: OsVoice
  readonly together: (slots: Pick<SlotWork, 'clear'>) => Together
}

/** A box that was heard within this is well. */
const ANSWER_MS = 10_000

/** Beside an armed show: the LAN that carries pieces carries its cues. */
const ARMED_BYTES_PER_SECOND = 1_000_000

/** What may be given to other boxes a second; null: no limit. A box that does not answer may have its show on. */
export const giveBytesPerSecond = (box: Pick<OtaAnswer, 'show'> | null): number | null =>
  box === null || box.show?.isArmed ? ARMED_BYTES_PER_SECOND : null

export function openVenue(parts: VenueParts): OpenVenue {
  const { home, config, venue, clock, log, keys, shelf, files, door, mayUseUplink } = parts
  const { tour, box } = config
  const way = venue.broker.kind === 'own' ? new OwnBroker(door) : otherBroker(home, venue.broker)
  const username = (): string | null =>
    way instanceof OwnBroker
      ? 'operator'
      : venue.broker.kind === 'other'
        ? venue.broker.username
        : null
  const boardOf = (subject: 'have' | 'stage'): MqttPeerBoard =>
    new MqttPeerBoard({ clock, log, keys, link: way }, { tour, box, username: username(), subject })
  const peers = new Peers(
    {
      clock,
      log,
      keys,
      shelf,
      board: boardOf('have'),
      link: new LinuxPeerLink({ host: '0.0.0.0', port: venue.port, isLoopbackAllowed: false }),
    },
    { box, mayUseUplink, uploadBytesPerSecond: () => giveBytesPerSecond(door.answer(ANSWER_MS)) },
  )
  const stage = boardOf('stage')
  const isWell = (): boolean => door.answer(ANSWER_MS)?.isReady ?? false
  const voice = new BoardVoice(clock, stage, { box, isWell })
  const speaking: Service = {
    name: 'voice',
    start: async () => {
      voice.start()
      await stage.start()
    },
    stop: async () => {
      voice.stop()
      await stage.stop()
    },
  }
  return {
    peers,
    services: [peers, speaking],
    fleet: digest => voice.fleet(digest),
    systems: voice.systems,
    together: slots =>
      new Together(
        { log, voice, records: new VenueRecords(files), slots },
        { box, boxes: venue.boxes },
      ),
  }
}

/** The broker of this very box, which comes and goes with it. */
export class OwnBroker implements BrokerWay {
  readonly #door: Pick<BoxDoor, 'mqttPort' | 'login'>
  #port: number | null = null
  #password: Buffer | null = null
  /** Why it cannot be gone to; null: it can. */
  #lacking: string | null = null

  constructor(door: Pick<BoxDoor, 'mqttPort' | 'login'>) {
    this.#door = door
  }

  get password(): Buffer | null {
    return this.#password
  }

  async load(): Promise<void> {
    this.#port = null
    this.#lacking = null
    try {
      this.#port = await this.#door.mqttPort()
      if (this.#port === null) this.#lacking = 'there is none, by "broker" of box.json'
      this.#password = Buffer.from((await this.#door.login()).password)
    } catch (error) {
      // The connection fails, and is tried again.
      this.#lacking = messageOf(error)
    }
  }

  explain(error: unknown): string {
    const why = this.#lacking ?? (error === null ? 'it ended the connection' : messageOf(error))
    return `the broker of this box: ${why}`
  }

  open(): Duplex {
    // Nothing listens at the first port, and the way that ends at once is tried again as any other.
    return connect({ host: '127.0.0.1', port: this.#port ?? 1, noDelay: true })
  }
}

/** @param home folder of `ota.json`, in which the files lie that it names without a leading slash */
export function otherBroker(
  home: string,
  broker: Extract<NonNullable<UpdaterConfig['venue']>['broker'], { kind: 'other' }>,
): BrokerWay {
  // Below `/`, which is the folder that they are read from.
  const file = (path: string | null): string | null => path && relative('/', resolve(home, path))
  return new ExternalLink(
    new Files('/'),
    {
      kind: 'external',
      url: broker.url,
      username: broker.username,
      passwordFile: file(broker.passwordFile),
      certificateAuthority: file(broker.certificateAuthority),
      certificate: file(broker.certificate),
      key: file(broker.key),
    },
    'ota.venue.broker',
  )
}
