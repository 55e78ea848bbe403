/** A show without a box: what every output would show, and what would happen, for a given list of GOs. Pure. */
import { ConfigError } from '../../core/errors.js'
import { showTimeMs } from '../../core/time.js'
import type { ShowCommand } from '../../topics.js'
import type { Action, CheckedShow } from './checked-show.js'
import { decide } from './decide.js'
import { advance, type Done, fold } from './fold.js'
import { type Levels, nextChange } from './levels.js'
import { Playback } from './playback.js'
import { initialState, type ShowState } from './state.js'
import { readDurationMs, readLevel } from './words.js'

/** Something that somebody does at a moment of the simulation. */
export interface ScriptLine {
  readonly atMs: number
  readonly command: Omit<ShowCommand, 'id' | 'origin' | 'atShowMs' | 'epoch'>
}

export interface SimulateOptions {
  readonly untilMs: number
  /** A row at least so often; 0 for only where something happens. */
  readonly everyMs: number
}

export interface SimulatedRow {
  readonly atMs: number
  /** `go`, `cue 2`, `capture cam1`, `refused: …`, in order. */
  readonly what: readonly string[]
  readonly levels: Levels
}

const ROWS_MAX = 20_000
const LINES_MAX = 1000

/** What may be said of each action: a word or two after it, or none. */
const commands: Readonly<
  Record<string, (first?: string, second?: string) => ScriptLine['command'] | null>
> = {
  go: () => ({ action: 'go' }),
  back: () => ({ action: 'back' }),
  panic: () => ({ action: 'panic' }),
  release: () => ({ action: 'release' }),
  blackout: (state = 'on') => ({ action: 'blackout', on: state === 'on' }),
  fire: cue => (cue === undefined ? null : { action: 'fire', cue }),
  goto: cue => (cue === undefined ? null : { action: 'goto', cue }),
  scene: scene => (scene === undefined ? null : { action: 'scene', scene }),
  clear: target => (target === undefined ? { action: 'clear' } : { action: 'clear', target }),
  level: (target, text = '') => {
    const level = readLevel(text)
    return target === undefined || level === null ? null : { action: 'level', target, level }
  },
}

function commandOf([action = '', ...rest]: readonly string[]): ScriptLine['command'] | null {
  return Object.hasOwn(commands, action) ? (commands[action]?.(...rest) ?? null) : null
}

/**
 * `0s go`, `12s fire 3`, `20s level wash 40%`, `30s blackout off`, `31s panic`: one thing each, in any order.
 * @throws ConfigError that names the line
 */
export function readScript(lines: readonly string[]): ScriptLine[] {
  const read = lines.slice(0, LINES_MAX).map((line, index) => {
    const [time = '', ...rest] = line.trim().split(/\s+/)
    const atMs = readDurationMs(time)
    const command = atMs === null ? null : commandOf(rest)
    if (atMs !== null && command !== null) return { atMs, command }
    const message = `must be a time and what happens, such as "2s go" or "5s fire 3", is ${JSON.stringify(line.slice(0, 60))}`
    throw new ConfigError([{ path: `script[${index}]`, message, place: null }], 'show.invalid')
  })
  return read.sort((a, b) => a.atMs - b.atMs)
}

/** Rows where something happens, changes begin or end, and every `everyMs`; at most 20000, the last ones are left out. */
export function simulate(
  show: CheckedShow,
  script: readonly ScriptLine[],
  options: SimulateOptions,
): readonly SimulatedRow[] {
  const run = new Run(show, script)
  const rows = [run.row(0)]
  while (rows.length < ROWS_MAX) {
    const atMs = run.next(options.everyMs)
    if (atMs === null || atMs > options.untilMs) break
    rows.push(run.row(atMs))
  }
  return rows
}

class Run {
  readonly #show: CheckedShow
  readonly #script: ScriptLine[]
  readonly #playback: Playback
  #state: ShowState
  #atMs = 0
  #ids = 0
  /** Actions to come, by moment. */
  #actions: { readonly atMs: number; readonly text: string }[] = []

  constructor(show: CheckedShow, script: readonly ScriptLine[]) {
    this.#show = show
    this.#script = script.toSorted((a, b) => a.atMs - b.atMs)
    this.#state = initialState(show, 0)
    this.#playback = new Playback(show)
  }

  /** The next moment worth a row; null when nothing is left. */
  next(everyMs: number): number | null {
    const change = nextChange(this.#show, this.#state, showTimeMs(this.#atMs))
    const moments = [
      ...(everyMs > 0 ? [(Math.floor(this.#atMs / everyMs) + 1) * everyMs] : []),
      ...this.#script.slice(0, 1).map(({ atMs }) => atMs),
      ...this.#actions.map(({ atMs }) => atMs),
      ...(change ? [change.kind === 'at' ? change.atShowMs : change.boundaryShowMs] : []),
    ].filter(Number.isFinite)
    return moments.length === 0 ? null : Math.max(this.#atMs, Math.min(...moments))
  }

  row(atMs: number): SimulatedRow {
    this.#atMs = atMs
    const due = advance(this.#show, this.#state, atMs)
    this.#state = due.state
    const what = this.#told(due.done)
    while (this.#script[0] && this.#script[0].atMs <= atMs) {
      const line = this.#script.shift()
      if (line) what.push(...this.#act(line))
    }
    what.push(...this.#actions.filter(action => action.atMs <= atMs).map(({ text }) => text))
    this.#actions = this.#actions.filter(action => action.atMs > atMs)
    this.#playback.moveTo(this.#state, showTimeMs(atMs))
    return { atMs, what, levels: this.#playback.levels.slice() }
  }

  #act({ command }: ScriptLine): string[] {
    const id = `simulated-${++this.#ids}`
    const decision = decide(
      this.#show,
      this.#state,
      { ...command, id, origin: 'script' },
      {
        nowMs: this.#atMs,
        wallMs: this.#atMs,
        leadMs: this.#show.leadMs ?? 0,
        newId: () => id,
      },
    )
    const asked = textOfCommand(command)
    if (decision.kind === 'refuse') return [`${asked} refused: ${decision.message}`]
    const what = [asked]
    for (const event of decision.events) {
      const step = fold(this.#show, this.#state, event)
      this.#state = step.state
      what.push(...this.#told(step.done))
    }
    return what
  }

  #told(done: readonly Done[]): string[] {
    return done.flatMap(({ deed, t0Ms }) => {
      if (deed.kind === 'panic') this.#actions = []
      if (deed.kind !== 'fire') return []
      const cue = this.#show.cuesById.get(deed.cue)
      if (deed.way !== 'back')
        this.#actions.push(
          ...(cue?.actions ?? []).map(action => ({
            atMs: t0Ms + action.atMs,
            text: textOf(action),
          })),
        )
      return [`cue ${deed.cue}${cue?.name ? ` ${cue.name}` : ''}`]
    })
  }
}

/** As it stands in the script. */
function textOfCommand({ action, cue, scene, target, level, on }: ScriptLine['command']): string {
  const words = [action, cue, scene, target]
  if (level !== undefined) words.push(`${Math.round(level * 1000) / 10}%`)
  if (on === false) words.push('off')
  return words.filter(word => word !== undefined).join(' ')
}

function textOf(action: Action): string {
  switch (action.kind) {
    case 'capture':
      return `capture ${action.capture}${action.count > 1 ? ` x${action.count}` : ''}`
    case 'mqtt':
      return `mqtt ${action.topic}`
    case 'http':
      return `http ${action.request.method} ${action.request.url}`
    case 'print':
      return `print ${action.template}`
  }
}
