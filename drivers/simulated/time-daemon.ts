import { DeviceError } from '../../runtime/core/errors.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel } from '../../runtime/ports/clock.js'
import type {
  DaemonFound,
  DaemonPlaces,
  DaemonQuestion,
  TimeDaemon,
} from '../../runtime/ports/time-daemon.js'

/** A chrony that says what a test wants it to, and dies when told to. Without a word it is not installed. */
export class SimulatedTimeDaemon implements TimeDaemon {
  found: DaemonFound = { kind: 'absent' }
  /** What it answers; what is missing is not answered. */
  readonly answers = new Map<DaemonQuestion, readonly (readonly string[])[]>()
  readonly asked: DaemonQuestion[] = []
  /** Whole seconds, and how it is to serve them. */
  readonly dates: (readonly [number, string | null])[] = []
  /** The configurations it was started with. */
  readonly started: (readonly string[])[] = []
  /** It cannot be started, for this reason. */
  trouble: DeviceError | null = null
  isRunning = false
  readonly #endings = new Signal<string>()
  readonly #sayings = new Signal<string>()

  async find(): Promise<DaemonFound> {
    return this.found
  }

  async start(render: (places: DaemonPlaces) => readonly string[]): Promise<void> {
    const places = { socket: 'socket', pidFile: 'pid', driftFile: 'drift', cookieFolder: 'cookies' }
    this.started.push(render(places))
    if (this.trouble !== null) throw this.trouble
    this.isRunning = true
  }

  async stop(): Promise<void> {
    this.isRunning = false
  }

  async setDate(wallSeconds: number, local: string | null): Promise<void> {
    this.dates.push([wallSeconds, local])
  }

  die(why: string): void {
    this.isRunning = false
    this.#endings.emit(why)
  }

  onEnded(listener: (why: string) => void): Cancel {
    return this.#endings.listen(listener)
  }

  say(line: string): void {
    this.#sayings.emit(line)
  }

  onSaid(listener: (line: string) => void): Cancel {
    return this.#sayings.listen(listener)
  }

  async ask(question: DaemonQuestion): Promise<readonly (readonly string[])[]> {
    this.asked.push(question)
    const answer =
      this.isRunning || this.found.kind === 'foreign' ? this.answers.get(question) : null
    if (answer === null || answer === undefined)
      throw new DeviceError('device.timeout', `chronyd does not answer to "${question}"`)
    return answer
  }
}
