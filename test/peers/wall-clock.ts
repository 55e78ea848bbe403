/** A box's date in a network namespace, as a process of its own: `test/fixtures/wall-clock.ts`, and what it says. */
import type { WallClockLine } from '../fixtures/wall-clock.js'
import type { Namespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

type WallStateLine = Extract<WallClockLine, { kind: 'state' }>

export interface BoxDate extends Pick<Follow, 'until' | 'stop'> {
  readonly pid: number
  /** What it published last, or null. */
  state(): WallStateLine['state'] | null
  /** What it showed last, less the system's date. */
  aheadMs(): number
  readonly logged: readonly string[]
  arm(isArmed: boolean): void
  /** As a person does. */
  set(wallMs: number): void
}

/** @param script the fixture as Node runs it */
export function startWallClock(
  script: string,
  namespaces: Pick<Namespaces, 'within'>,
  number: number,
  stateFolder: string,
  ntp: object,
  maySetSystem = false,
): BoxDate {
  const args = [script, JSON.stringify({ stateFolder, ntp, maySetSystem })]
  const program = follow(...namespaces.within(number, process.execPath, args))
  const logged: string[] = []
  let last: WallStateLine | null = null
  let begun = ''
  program.child.stdout?.on('data', bytes => {
    const lines = (begun + String(bytes)).split('\n')
    begun = lines.pop() ?? ''
    for (const text of lines) {
      const line: WallClockLine = JSON.parse(text)
      if (line.kind === 'state') last = line
      else logged.push(`${line.event} ${JSON.stringify(line.facts)}`)
    }
  })
  return {
    pid: program.child.pid ?? 0,
    until: program.until,
    stop: program.stop,
    state: () => last?.state ?? null,
    aheadMs: () => last?.aheadMs ?? Number.NaN,
    logged,
    set: wallMs => void program.child.stdin?.write(`${wallMs}\n`),
    arm: isArmed => void program.child.stdin?.write(isArmed ? 'arm\n' : 'disarm\n'),
  }
}
