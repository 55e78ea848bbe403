/**
 * A small show that answers commands on the bus as the real one does, for tests of what looks at a show from outside.
 * GO steps through its cues at once; there are no fades.
 */
import type { Bus } from '../../runtime/core/bus.js'
import type { ShowDescription } from '../../runtime/gateways/page/api.js'
import type { Messages, Payload, ShowCommand } from '../../runtime/topics.js'

interface Look {
  readonly levels: Readonly<Record<string, number>>
  /** Red, green, blue of the wash. */
  readonly wash: readonly [number, number, number]
}

export const standInShow: ShowDescription = {
  name: 'signed-drop',
  digest: '4be1c0de',
  cues: [
    { id: '1', name: 'Doors' },
    { id: '2', name: 'Reveal' },
    { id: '2.5', name: 'Reveal, slower' },
    { id: '3', name: 'Signing table' },
    { id: '4', name: 'Drop countdown' },
    { id: '5', name: 'Blackout before the drop' },
    { id: '6', name: 'Drop' },
    { id: '7', name: 'House to half' },
    { id: '8', name: 'Thank you, good night' },
    { id: '99', name: 'Clean-up' },
  ],
  outputs: [
    { name: 'front', kind: 'dimmer', device: 'dimmers', channels: [0] },
    { name: 'back', kind: 'dimmer', device: 'dimmers', channels: [1] },
    { name: 'wash', kind: 'rgb', device: 'wash-leds', channels: [0, 1, 2] },
    { name: 'table', kind: 'dimmer', device: 'dimmers', channels: [2] },
    { name: 'sign', kind: 'switch', device: 'sign-relay', channels: [0] },
    { name: 'house', kind: 'dimmer', device: 'dimmers', channels: [3] },
  ],
}

const dark: Look = { levels: {}, wash: [0, 0, 0] }
const looks: readonly Look[] = [
  { levels: { house: 0.4, front: 0.15, sign: 1 }, wash: [0, 0, 0] },
  { levels: { front: 1, back: 0.55, wash: 0.8, sign: 1 }, wash: [0.8, 0.38, 0] },
  { levels: { front: 0.7, wash: 0.9, table: 0.5 }, wash: [0.1, 0.25, 0.9] },
]

export class StandInShow {
  readonly #bus: Bus<Messages>
  #place = -1
  #isArmed = false
  #isBlackout = false
  #isPanic = false
  readonly fired: string[] = []

  constructor(bus: Bus<Messages>) {
    this.#bus = bus
  }

  start(): () => void {
    this.#announce()
    return this.#bus.subscribe('command/received', command => this.#obey(command))
  }

  #announce(): void {
    this.#bus.publish('box/availability', { state: 'ready', boot: 7 })
    this.#bus.publish('box/info', {
      tour: 'spring-tour',
      box: 'lobby-box',
      board: 'simulated',
      version: '0.1.0',
      boot: 7,
      show: { name: standInShow.name, digest: standInShow.digest },
      devices: [
        { device: 'dimmers', driver: 'pca9685-light', kind: 'light' },
        { device: 'wash-leds', driver: 'pca9685-light', kind: 'light' },
        { device: 'sign-relay', driver: 'gpio-light', kind: 'light' },
        { device: 'go-button', driver: 'push-button', kind: 'input' },
        { device: 'footswitch', driver: 'push-button', kind: 'input' },
        { device: 'camera', driver: 'relay-trigger', kind: 'capture' },
      ],
      outputs: [],
    })
    for (const device of ['dimmers', 'go-button', 'footswitch']) this.#device(device, null)
    this.#device('camera', 'no answer from the focus contact')
    this.#bus.publish('cue/late', { count: 0, p50: 0, p95: 0, p99: 0, max: 0 })
    this.#show()
  }

  #device(device: string, fault: string | null): void {
    const isLight = device === 'dimmers' || device.includes('-leds') || device.includes('relay')
    this.#bus.publish('device/state', {
      device,
      driver: isLight ? 'pca9685-light' : device === 'camera' ? 'relay-trigger' : 'push-button',
      kind: isLight ? 'light' : device === 'camera' ? 'capture' : 'input',
      state: fault === null ? 'ready' : 'faulty',
      code: fault === null ? null : 'device.timeout',
      message: fault,
    })
  }

  #show(): void {
    const look =
      this.#isPanic || this.#isBlackout ? dark : (looks[this.#place % looks.length] ?? dark)
    const levels = Object.fromEntries(
      standInShow.outputs.map(({ name }) => [name, look.levels[name] ?? 0]),
    )
    this.#bus.publish('levels/sampled', { levels, colors: { wash: [...look.wash] } })
    this.#device('wash-leds', null)
    this.#device('sign-relay', null)
    const { cues, name, digest } = standInShow
    const current = cues[this.#place]?.id ?? null
    this.#bus.publish('show/state', {
      name,
      digest,
      isArmed: this.#isArmed,
      current,
      next: cues[this.#place + 1]?.id ?? null,
      epoch: 1,
      running: current === null ? [] : [current],
      isBlackout: this.#isBlackout,
      isPanic: this.#isPanic,
      manual: {},
    })
  }

  #obey(command: ShowCommand): void {
    const reason = this.#refusalOf(command)
    if (reason === null) {
      this.#carryOut(command)
      this.#show()
    }
    this.#bus.publish('command/answered', {
      id: command.id,
      origin: command.origin,
      isAccepted: reason === null,
      code: reason === null ? null : 'command.refused',
      message: reason,
    })
  }

  #refusalOf({ action }: ShowCommand): string | null {
    if (this.#isPanic && action !== 'release' && action !== 'panic')
      return 'the box is in panic; release it first'
    if (action === 'go' && !this.#isArmed) return 'the show is not armed; arm it first'
    return null
  }

  #carryOut({ action, cue, on, origin }: ShowCommand): void {
    if (action === 'go') this.#fire(origin)
    if (action === 'back') this.#place = Math.max(-1, this.#place - 1)
    if (action === 'goto') this.#place = standInShow.cues.findIndex(({ id }) => id === cue) - 1
    if (action === 'arm' || action === 'disarm') this.#isArmed = action === 'arm'
    if (action === 'panic' || action === 'release') this.#isPanic = action === 'panic'
    if (action === 'blackout') this.#isBlackout = on ?? true
  }

  #fire(origin: string): void {
    this.#place = Math.min(this.#place + 1, standInShow.cues.length - 1)
    const cue = standInShow.cues[this.#place]?.id ?? '1'
    this.fired.push(cue)
    const late: Payload<'cue/late'> = {
      count: this.fired.length,
      p50: 0.31,
      p95: 0.9,
      p99: 1.24,
      max: 2.6,
    }
    this.#bus.publish('cue/late', late)
    this.#bus.publish('cue/fired', {
      fire: `fire-${this.fired.length}`,
      cue,
      epoch: 1,
      atShowMs: 0,
      origin,
      lateMs: 0.31,
    })
  }
}
