/**
 * linuxptp's ptp4l on one interface, supervised, and asked four times a second through its `pmc`. It runs free: no clock of
 * the machine is set. With the stamps of the kernel its offset is from CLOCK_REALTIME, with those of the hardware from the
 * interface's own clock (PHC), which `Phc` ties to the monotonic scale.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { DeviceError, messageOf } from '../../runtime/core/errors.js'
import { repeat } from '../../runtime/core/repeat.js'
import { Signal } from '../../runtime/core/signal.js'
import type { Cancel, Clock, MonotonicMs } from '../../runtime/ports/clock.js'
import type { PtpDaemon, PtpMeasured, PtpReading } from '../../runtime/ports/ptp-daemon.js'
import { askProgram, endChild } from './child.js'
import { openUdpSockets } from './libc-sockets.js'
import { Phc } from './phc.js'
import { type PmcAnswer, PmcAnswers } from './pmc-answers.js'
import { ptp4lConfig } from './ptp4l-config.js'
import { isFollowing, leaderOf, pathDelayNsOf, timesOf } from './ptp4l-reading.js'

const ASK_EVERY_MS = 250
/** Of no answer; ptp4l may take a second to open its socket. */
const SILENT_MS_MAX = 5_000
const VERSION_MS_MAX = 5_000
/** After SIGTERM. */
const END_MS_MAX = 2_000
/** A box that is killed takes them with it: setpriv(1) of util-linux, PR_SET_PDEATHSIG. */
const DYING_WITH_THE_BOX = ['--pdeathsig', 'TERM', '--']
/** The last only ends the answer before it. */
const QUESTIONS = [
  'PARENT_DATA_SET',
  'CURRENT_DATA_SET',
  'PORT_DATA_SET',
  'TIME_STATUS_NP',
  'NULL_MANAGEMENT',
]

export interface Ptp4lSettings {
  readonly interfaceName: string
  readonly domain: number
  /** The PHC of the interface; null: the kernel's stamps. */
  readonly phc: string | null
  /** Of its own, for its config and sockets. */
  readonly folder: string
}

interface Running {
  readonly ptp4l: ChildProcess
  readonly pmc: ChildProcess
  readonly stopAsking: Cancel
  readonly phc: Phc | null
  readonly own: string
}

export class Ptp4l implements PtpDaemon {
  readonly interfaceName: string
  readonly stamps: 'hardware' | 'kernel'
  readonly #clock: Clock
  readonly #settings: Ptp4lSettings
  readonly #readings = new Signal<PtpReading>()
  readonly #lost = new Signal<Error>()
  readonly #answers = new Map<string, PmcAnswer['fields']>()
  #hardwareAddress = new Uint8Array(6)
  #address: string | null = null
  #running: Running | null = null
  #monotonicOf: (ns: bigint) => MonotonicMs | null = () => null
  #lastNs = 0n
  #measured: PtpMeasured | null = null
  #heardAt: MonotonicMs

  constructor(clock: Clock, settings: Ptp4lSettings) {
    this.#clock = clock
    this.#settings = settings
    this.interfaceName = settings.interfaceName
    this.stamps = settings.phc === null ? 'kernel' : 'hardware'
    this.#heardAt = clock.monotonicMs()
  }

  get hardwareAddress(): Uint8Array {
    return this.#hardwareAddress
  }

  get address(): string | null {
    return this.#address
  }

  async open(): Promise<void> {
    if (this.#running !== null)
      throw new DeviceError('device.busy', `${this.interfaceName} is open`)
    const own = this.#look()
    const { folder, phc: phcPath } = this.#settings
    const version = await versionOf()
    const sockets = await openUdpSockets()
    await mkdir(folder, { recursive: true })
    const [config, socket] = [join(folder, 'ptp4l.conf'), join(folder, 'ptp4l')]
    await writeFile(config, ptp4lConfig(version, this.#configured(socket)))
    // Left by one that was killed.
    await Promise.all(
      [socket, `${socket}-read-only`, `${socket}-pmc`].map(path => rm(path, { force: true })),
    )
    const phc = phcPath === null ? null : await Phc.open(sockets, phcPath)
    this.#monotonicOf = ns => (phc === null ? sockets.monotonicOf(ns) : phc.monotonicOf(ns))
    this.#measured = null
    this.#answers.clear()
    this.#heardAt = this.#clock.monotonicMs()
    const ptp4l = spawn(
      'setpriv',
      [...DYING_WITH_THE_BOX, ...['ptp4l', '-f', config, '-i', this.interfaceName, '-q']],
      { stdio: 'ignore' },
    )
    const args = ['-u', '-b', '0', '-d', String(this.#settings.domain), '-s', socket]
    const pmc = spawn('setpriv', [...DYING_WITH_THE_BOX, 'pmc', ...args, '-i', `${socket}-pmc`], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#listen(ptp4l, 'ptp4l')
    this.#listen(pmc, 'pmc')
    const answers = new PmcAnswers(answer => this.#take(answer))
    pmc.stdout.on('data', bytes => answers.feed(String(bytes)))
    // What it is told after its end is lost.
    pmc.stdin.on('error', () => {})
    const stopAsking = repeat(this.#clock, ASK_EVERY_MS, async () => this.#ask())
    this.#running = { ptp4l, pmc, stopAsking, phc, own }
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = null
    if (running === null) return
    running.stopAsking()
    running.phc?.close()
    const { pmc, ptp4l } = running
    await Promise.all([pmc, ptp4l].map(child => endChild(this.#clock, child, END_MS_MAX)))
  }

  onReading(listener: (reading: PtpReading) => void): Cancel {
    return this.#readings.listen(listener)
  }

  onLost(listener: (why: Error) => void): Cancel {
    return this.#lost.listen(listener)
  }

  /** @returns the identity of its clock */
  #look(): string {
    const found = networkInterfaces()[this.interfaceName]?.find(({ family }) => family === 'IPv4')
    if (found === undefined)
      throw new DeviceError(
        'device.absent',
        `${this.interfaceName} is not there, or has no address of IPv4`,
      )
    const bytes = found.mac.split(':')
    this.#address = found.address
    this.#hardwareAddress = Uint8Array.from(bytes, byte => Number.parseInt(byte, 16))
    return [...bytes.slice(0, 3), 'ff', 'fe', ...bytes.slice(3)].join('')
  }

  #configured(socket: string) {
    const { domain } = this.#settings
    return { domain, stamps: this.stamps, socket, readOnlySocket: `${socket}-read-only` }
  }

  #ask(): void {
    const running = this.#running
    if (running === null) return
    if (this.#clock.monotonicMs() - this.#heardAt > SILENT_MS_MAX) {
      this.#lose('ptp4l does not answer')
      return
    }
    try {
      running.phc?.look()
    } catch (error) {
      this.#lose(messageOf(error))
      return
    }
    running.pmc.stdin?.write(QUESTIONS.map(name => `GET ${name}\n`).join(''))
  }

  #take({ name, fields }: PmcAnswer): void {
    const running = this.#running
    if (running === null) return
    this.#heardAt = this.#clock.monotonicMs()
    this.#answers.set(name, fields)
    if (name !== 'TIME_STATUS_NP') return
    const [parent = {}, current = {}, port = {}] = QUESTIONS.map(one => this.#answers.get(one))
    const leader = isFollowing(port) ? leaderOf(parent, current, running.own) : null
    this.#measure(fields, pathDelayNsOf(current))
    this.#readings.emit({ leader, measured: leader === null ? null : this.#measured })
  }

  /** The same Sync may be told several times. */
  #measure(status: PmcAnswer['fields'], pathDelayNs: number): void {
    const times = timesOf(status)
    if (times === null) this.#measured = null
    if (times === null || times.ingressNs === this.#lastNs) return
    this.#lastNs = times.ingressNs
    const at = this.#monotonicOf(times.ingressNs)
    if (at !== null) this.#measured = { at, masterNs: times.masterNs, pathDelayNs }
  }

  #listen(child: ChildProcess, name: string): void {
    child.once('error', error => this.#lose(`${name} cannot be started: ${error.message}`))
    child.once('exit', (code, signal) => this.#lose(`${name} ended: ${signal ?? code}`))
  }

  #lose(message: string): void {
    if (this.#running === null) return
    void this.close()
    this.#lost.emit(new DeviceError('device.absent', `${message} (${this.interfaceName})`))
  }
}

/** @throws DeviceError `device.absent` where there is none */
async function versionOf(): Promise<string> {
  const said = await askProgram('ptp4l', ['-v'], { environment: null, msMax: VERSION_MS_MAX })
  if (said === null || !/^\d+/.test(said))
    throw new DeviceError('device.absent', 'ptp4l is not installed (package linuxptp)')
  return said.trim()
}
