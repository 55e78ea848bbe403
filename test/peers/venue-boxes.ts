/** Boxes of a venue in network namespaces, as processes of their own: `test/fixtures/venue-box.ts`, and what they say. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Messages, ShowCommand } from '../../runtime/topics.js'
import type { VenueBoxLine, VenueBoxSettings } from '../fixtures/venue-box.js'
import { LAN, type Namespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

export const VENUE_PORT = 4310

type Said<T> = Extract<VenueBoxLine, { readonly topic: T }>

export interface VenueBox extends Pick<Follow, 'until'> {
  readonly box: string
  /** All of this kind, in order. */
  said<T extends VenueBoxLine['topic']>(topic: T): readonly Said<T>[]
  /** The last message of a state; undefined before the first. */
  last<T extends 'venue/state' | 'clock/state' | 'show/state'>(topic: T): Messages[T] | undefined
  ask(command: Omit<ShowCommand, 'origin'>): void
  kill(): Promise<void>
  /** In order. */
  stop(): Promise<void>
}

/** A lamp on each of these boxes; a cue that switches it on, one that switches it off, and one that follows itself. */
export const lampShow = (boxes: readonly string[]): string => `
apiVersion: show/v1
name: venue
patch:
${boxes.map(box => `  ${box}: {kind: switch, out: "${box}/lamp", onLost: hold}`).join('\n')}
groups: {all: [${boxes.join(', ')}]}
cues:
  - {id: "on", levels: {all: on}}
  - {id: "off", levels: {all: off}}
  - {id: "first", levels: {all: on}, follow: {after: 4s, go: "then"}}
  - {id: "then", levels: {all: off}}
`

export interface Disk {
  readonly folder: string
  remove(): void
}

/** What outlives a box. */
export function makeDisk(): Disk {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-venue-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** @param script the fixture as Node runs it */
export function startVenueBox(
  script: string,
  namespaces: Namespaces,
  number: number,
  settings: Pick<VenueBoxSettings, 'box' | 'stateFolder' | 'showText'>,
): VenueBox {
  const all: VenueBoxSettings = { interfaceName: LAN, port: VENUE_PORT, ...settings }
  const program = follow(
    ...namespaces.within(number, process.execPath, [script, JSON.stringify(all)]),
  )
  const lines: VenueBoxLine[] = []
  let begun = ''
  program.child.stdout?.on('data', bytes => {
    const texts = (begun + String(bytes)).split('\n')
    begun = texts.pop() ?? ''
    for (const text of texts) lines.push(JSON.parse(text))
  })
  const said = <T extends VenueBoxLine['topic']>(topic: T): readonly Said<T>[] =>
    lines.filter((line): line is Said<T> => line.topic === topic)
  return {
    box: settings.box,
    until: program.until,
    said,
    last: topic => {
      const line = said(topic).at(-1)
      return line && 'message' in line ? (line.message as Messages[typeof topic]) : undefined
    },
    ask: command => void program.child.stdin?.write(`${JSON.stringify(command)}\n`),
    kill: () => program.stop('SIGKILL'),
    stop: () => program.stop(),
  }
}
