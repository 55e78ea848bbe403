/** A box's clock in a network namespace, as a process of its own: `test/fixtures/venue-clock.ts`, and what it says. */
import type { VenueClockLine, VenueClockSettings } from '../fixtures/venue-clock.js'
import { LAN, type Namespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

export type VenueClockState = Extract<VenueClockLine, { kind: 'state' }>['state']

type HouseClockState = Extract<VenueClockLine, { kind: 'house' }>['state']

export interface BoxClock extends Pick<Follow, 'until' | 'stop'> {
  /** What it published last; null before that. */
  state(): VenueClockState | null
  /** What it published last of the house's clock; null before that. */
  house(): HouseClockState | null
  /** All that it logged. */
  readonly logged: readonly string[]
  /** How far its show time was ahead of the system's, sixteen times a second, in microseconds. */
  readonly aheadMicroseconds: readonly number[]
  /** As a show does that is made ready. */
  arm(): void
}

/** @param script the fixture as Node runs it */
export function startVenueClock(
  script: string,
  namespaces: Namespaces,
  number: number,
  settings: Pick<VenueClockSettings, 'stateFolder'> & Partial<VenueClockSettings>,
): BoxClock {
  const usual = {
    interfaceName: LAN,
    stamps: 'kernel',
    isPreferred: false,
    houseDomain: null,
    engine: 'own',
  }
  const all = { ...usual, ...settings }
  const args = [script, JSON.stringify(all)]
  const program = follow(...namespaces.within(number, process.execPath, args))
  const logged: string[] = []
  const aheadMicroseconds: number[] = []
  let state: VenueClockState | null = null
  let house: HouseClockState | null = null
  const take = (line: VenueClockLine): void => {
    if (line.kind === 'state') state = line.state
    else if (line.kind === 'house') house = line.state
    else if (line.kind === 'logged') logged.push(`${line.event} ${JSON.stringify(line.facts)}`)
    else aheadMicroseconds.push(line.aheadMicroseconds)
  }
  let begun = ''
  program.child.stdout?.on('data', bytes => {
    const lines = (begun + String(bytes)).split('\n')
    begun = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
  return {
    until: program.until,
    stop: program.stop,
    state: () => state,
    house: () => house,
    logged,
    aheadMicroseconds,
    arm: () => program.child.stdin?.write('arm\n'),
  }
}
