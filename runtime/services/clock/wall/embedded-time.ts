/** The date by the runtime's own client, and served by its own server: where chrony is not installed. */
import { BoxError, messageOf } from '../../../core/errors.js'
import { after } from '../../../core/time.js'
import type { Cancel, MonotonicMs } from '../../../ports/clock.js'
import type { Standing } from './ntp-server.js'
import { TimeAsker, type TimeAskerOptions, type TimeAskerPorts } from './time-asker.js'
import type { Found, SourceReport, TimeEngine } from './time-engine.js'
import { type Served, TimeServer, type TimeServerOptions } from './time-server.js'

const REOPEN_MS_MIN = 2_000
const REOPEN_MS_MAX = 60_000

export interface EmbeddedTimeOptions {
  readonly asker: TimeAskerOptions
  /** Null: it serves nobody. */
  readonly server: TimeServerOptions | null
}

/** What either half needs is opened again until it can be: at the boot, networks come late. */
export class EmbeddedTime implements TimeEngine {
  readonly kind = 'embedded'
  readonly isSystemSteered = false
  readonly #ports: TimeAskerPorts
  readonly #asker: TimeAsker
  readonly #server: TimeServer | null
  readonly #halves = new Map<string, Half>()
  #isEnded = false

  constructor(ports: TimeAskerPorts, served: Served, options: EmbeddedTimeOptions) {
    this.#ports = ports
    this.#asker = new TimeAsker(ports, options.asker)
    const { clock, network } = ports
    this.#server =
      options.server === null ? null : new TimeServer(clock, network, served, options.server)
  }

  get trouble(): string | null {
    const [closed] = [...this.#halves.values()].flatMap(({ trouble }) => trouble ?? [])
    return closed ?? this.#asker.trouble ?? this.#server?.lastFailure ?? null
  }

  get served(): number | null {
    return this.#server?.counts.served ?? null
  }

  async start(): Promise<void> {
    const server = this.#server
    await this.#open('asking for the time', () => this.#asker.start())
    if (server !== null)
      await this.#open('serving the time', async () => {
        const port = await server.open()
        this.#ports.log.info('wall.serving', { port })
      })
  }

  async stop(): Promise<void> {
    this.#isEnded = true
    for (const { cancel } of this.#halves.values()) cancel()
    await this.#asker.stop()
    await this.#server?.close()
  }

  /** What comes meanwhile is measured, and does not move the date. */
  freeze(): void {}

  /** It is told by the date itself. */
  told(): Standing | null {
    return null
  }

  setDate(): void {}

  found(now: MonotonicMs, ratePpm: number): Found | null {
    return this.#asker.found(now, ratePpm)
  }

  sources(now: MonotonicMs, shownMs: number): readonly SourceReport[] {
    return this.#asker.sources(now, shownMs)
  }

  async #open(what: string, open: () => Promise<void>): Promise<void> {
    if (this.#isEnded) return
    const half = this.#halves.get(what) ?? { trouble: null, waitMs: REOPEN_MS_MIN, cancel() {} }
    this.#halves.set(what, half)
    try {
      await open()
      half.trouble = null
      half.waitMs = REOPEN_MS_MIN
    } catch (error) {
      if (!(error instanceof BoxError)) throw error
      const trouble = `${what}: ${messageOf(error)}${adviceFor(error)}`
      if (trouble !== half.trouble) this.#ports.log.warn('wall.no-socket', { error: trouble })
      half.trouble = trouble
      const { clock } = this.#ports
      const again = after(clock.monotonicMs(), half.waitMs)
      half.cancel = clock.runAt(again, () => void this.#open(what, open))
      half.waitMs = Math.min(REOPEN_MS_MAX, 2 * half.waitMs)
    }
    // It was stopped while it opened.
    if (this.#isEnded) await Promise.all([this.#asker.stop(), this.#server?.close()])
  }
}

interface Half {
  trouble: string | null
  waitMs: number
  cancel: Cancel
}

/** What a technician can do. */
function adviceFor({ code }: BoxError): string {
  if (code === 'device.denied')
    return ': give the box the right to it (AmbientCapabilities=CAP_NET_BIND_SERVICE), or clock.ntp.port another one'
  if (code === 'port.taken')
    return ': another time server runs on this machine; turn it off, or serve by it'
  return ''
}
