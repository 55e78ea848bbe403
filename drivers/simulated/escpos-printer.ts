/**
 * A receipt printer made of memory, at the far end of a simulated stream: a buffer, an interpreter of ESC/POS, paper that
 * moves at a speed, sensors, a switch and a cable. It knows nothing of the driver, and is not kinder than real ones.
 */
import type { Cancel, Clock } from '../../runtime/ports/clock.js'
import type { SimulatedByteStream } from './byte-stream.js'
import { type Effect, Interpreter } from './escpos-printer-interpreter.js'
import { missing, type SimulatedPrinterOptions } from './escpos-printer-models.js'
import { Motion } from './escpos-printer-motion.js'
import { SimulatedPaper } from './escpos-printer-paper.js'
import { CommandParser } from './escpos-printer-parser.js'
import {
  automaticStatusOf,
  isReady,
  realTimeAnswer,
  type Sensors,
  statusInTurnOf,
} from './escpos-printer-state.js'

const DOTS_PER_MILLIMETRE = 8
const CUTTER_DOTS = 14 * DOTS_PER_MILLIMETRE
const ROLL_MILLIMETRES = 60_000
const NEAR_END_MILLIMETRES = 3_000
const DLE = 0x10
const EOT = 0x04

export class SimulatedEscposPrinter {
  readonly #stream: SimulatedByteStream
  readonly #options: SimulatedPrinterOptions
  readonly #parser: CommandParser
  readonly #interpreter: Interpreter
  readonly #motion: Motion
  /** What it has printed, and what hangs from it. */
  readonly paper = new SimulatedPaper()
  #buffer: number[] = []
  /** Of the buffer; they are free already. */
  #parsedBytes = 0
  #effects: readonly Effect[] = []
  #sensors: Sensors = {
    isCoverOpen: false,
    isPaperEnd: false,
    isPaperNearEnd: false,
    isCutterJammed: false,
    isBroken: false,
    isHot: false,
    isDrawerHigh: false,
  }
  #isOn = false
  #isRunning = false
  #isPluggedIn = true
  #jamsAtCut = false
  #automaticItems = 0
  #told = ''
  #lastBytes: readonly [number, number] = [0, 0]
  #receivedBytes = 0
  #offAtBytes = Number.POSITIVE_INFINITY
  #drawerKicks = 0
  #stopHearing: Cancel = () => {}

  constructor(stream: SimulatedByteStream, clock: Clock, options: SimulatedPrinterOptions) {
    this.#stream = stream
    this.#options = options
    const { model, dotsPerLine, millimetresPerSecond } = options
    const isText = model === 'text-clone'
    this.#parser = new CommandParser(name => isText && missing[model].includes(name))
    this.#interpreter = new Interpreter({ dotsPerLine, cutterDots: CUTTER_DOTS })
    this.#motion = new Motion(clock, this.paper, {
      dotsPerSecond: millimetresPerSecond * DOTS_PER_MILLIMETRE,
      paperDots: ROLL_MILLIMETRES * DOTS_PER_MILLIMETRE,
    })
  }

  /** Bytes that arrived while it was on, all its life. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** How often a drawer was opened. */
  get drawerKicks(): number {
    return this.#drawerKicks
  }

  get paperMillimetres(): number {
    return this.#motion.paperDots / DOTS_PER_MILLIMETRE
  }

  /** Nothing is left to do with what it was given. */
  get isIdle(): boolean {
    return this.#waitingBytes === 0 && this.#effects.length === 0 && !this.#motion.isUnderWay
  }

  switchOn(): void {
    if (this.#isOn) return
    this.#isOn = true
    this.#stopHearing = this.#stream.sent.listen(bytes => this.#receive(bytes))
    if (this.#options.isLineItsOwn && this.#isPluggedIn) this.#stream.plug()
    this.#stream.setTaking(true)
    this.#look()
  }

  /** At once and without a goodbye: what it had not printed is gone. */
  switchOff(): void {
    if (!this.#isOn) return
    this.#isOn = false
    this.#offAtBytes = Number.POSITIVE_INFINITY
    this.#stopHearing()
    this.#motion.stop()
    this.#forget()
    this.paper.breakOff()
    if (this.#options.isLineItsOwn) this.#stream.unplug()
  }

  /** The power fails as soon as so many more bytes, at least one, have arrived. */
  switchOffAfter(byteCount: number): void {
    this.#offAtBytes = this.#receivedBytes + byteCount
  }

  /** It goes on with what it has. */
  pullCable(): void {
    this.#isPluggedIn = false
    this.#stream.unplug()
  }

  plugCable(): void {
    this.#isPluggedIn = true
    if (this.#isOn || !this.#options.isLineItsOwn) this.#stream.plug()
  }

  openCover(): void {
    this.#sense({ isCoverOpen: true })
  }

  closeCover(): void {
    this.#sense({ isCoverOpen: false })
  }

  /** A roll with so much left on it. */
  setPaper(millimetres: number): void {
    this.#motion.paperDots = Math.round(millimetres * DOTS_PER_MILLIMETRE)
    this.#look()
  }

  refill(): void {
    this.setPaper(ROLL_MILLIMETRES)
  }

  /** The next cut gets stuck. */
  jamAtNextCut(): void {
    this.#jamsAtCut = true
  }

  clearJam(): void {
    this.#sense({ isCutterJammed: false })
  }

  /** The head is too hot, or cool again. */
  setHot(isHot: boolean): void {
    this.#sense({ isHot })
  }

  /** Only the switch helps, and what it had is lost. */
  breakDown(): void {
    this.#motion.stop()
    this.#dropWork()
    this.#sense({ isBroken: true })
  }

  setDrawer(isHigh: boolean): void {
    this.#sense({ isDrawerHigh: isHigh })
  }

  #dropWork(): void {
    this.#buffer = []
    this.#parsedBytes = 0
    this.#effects = []
    this.#parser.reset()
    this.#interpreter.reset()
  }

  #forget(): void {
    this.#dropWork()
    this.#automaticItems = 0
    this.#lastBytes = [0, 0]
    this.#sensors = { ...this.#sensors, isBroken: false }
  }

  #receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (!this.#isOn) return
      this.#receivedBytes++
      this.#answerInRealTime(byte)
      this.#buffer.push(byte)
      if (this.#receivedBytes < this.#offAtBytes) continue
      this.#run()
      this.switchOff()
    }
    this.#run()
    this.#holdBack()
  }

  /** Wherever it stands, in the middle of a picture, too. */
  #answerInRealTime(byte: number): void {
    const [first, second] = this.#lastBytes
    this.#lastBytes = [second, byte]
    if (first !== DLE || second !== EOT || this.#options.model === 'mute') return
    const answer = realTimeAnswer(byte, this.#sensors)
    if (answer !== null) this.#stream.receive(Uint8Array.of(answer))
  }

  /** Does what it can, until it has to wait: for the paper to have moved, for a person, for more bytes. */
  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#isOn && !this.#motion.isUnderWay && isReady(this.#sensors)) {
      const effect = this.#effects[0]
      if (effect) {
        this.#effects = this.#effects.slice(1)
        this.#carryOut(effect)
      } else if (!this.#parseNext()) break
    }
    this.#isRunning = false
  }

  /** Up to the end of the next command. False when there is none. */
  #parseNext(): boolean {
    for (;;) {
      const byte = this.#buffer[this.#parsedBytes]
      if (byte === undefined) break
      this.#parsedBytes++
      const command = this.#parser.push(byte)
      if (command === null) continue
      if (this.#knows(command.name)) this.#effects = this.#interpreter.execute(command)
      return true
    }
    this.#buffer = []
    this.#parsedBytes = 0
    return false
  }

  /** What it passes over it has still taken whole. */
  #knows(name: string): boolean {
    return !missing[this.#options.model].includes(name)
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'print':
        this.#motion.begin(effect, () => {
          this.#look()
          this.#holdBack()
        })
        break
      case 'cut':
        this.#cut(effect)
        break
      case 'begin':
        this.paper.begin(effect.isBroken)
        break
      case 'drawer':
        this.#drawerKicks++
        break
      case 'answer':
        this.#stream.receive(this.#answerOf(effect.what))
        break
      case 'automatic':
        this.#automaticItems = effect.items
        this.#told = ''
        this.#tell()
    }
  }

  #answerOf(what: Extract<Effect, { kind: 'answer' }>['what']): Uint8Array {
    if (what === 'status') return Uint8Array.of(statusInTurnOf(this.#sensors))
    return Uint8Array.of(0x37, 0x22, ...Array.from(what.id, char => char.charCodeAt(0)), 0)
  }

  /** A cut that got stuck is tried again when the jam is cleared. */
  #cut(effect: Effect): void {
    if (!this.#jamsAtCut) {
      this.paper.cut()
      return
    }
    this.#jamsAtCut = false
    this.#effects = [effect, ...this.#effects]
    this.#sense({ isCutterJammed: true })
  }

  #sense(change: Partial<Sensors>): void {
    this.#sensors = { ...this.#sensors, ...change }
    this.#look()
  }

  /** Looks at the paper, tells what has changed, and goes on if it can. */
  #look(): void {
    const { paperDots } = this.#motion
    this.#sensors = {
      ...this.#sensors,
      isPaperEnd: paperDots === 0,
      isPaperNearEnd: paperDots < NEAR_END_MILLIMETRES * DOTS_PER_MILLIMETRE,
    }
    if (!this.#isOn) return
    this.#tell()
    this.#motion.allow(isReady(this.#sensors))
    this.#run()
    this.#holdBack()
  }

  #tell(): void {
    if (this.#automaticItems === 0) return
    const bytes = automaticStatusOf(this.#sensors)
    if (this.#told === bytes.join()) return
    this.#told = bytes.join()
    this.#stream.receive(bytes)
  }

  /** A full buffer takes nothing until half of it is free. */
  #holdBack(): void {
    if (!this.#isOn) return
    const { bufferBytes } = this.#options
    if (this.#waitingBytes >= bufferBytes) this.#stream.setTaking(false)
    else if (this.#waitingBytes <= bufferBytes / 2) this.#stream.setTaking(true)
  }

  get #waitingBytes(): number {
    return this.#buffer.length - this.#parsedBytes
  }
}
