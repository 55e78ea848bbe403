/** What the page may be given beside the bus. */
import type { LogLine as KeptLine } from '../../core/log-line.js'
import type {
  BoardLineState,
  ClockAnswer,
  HistoryAnswer,
  JobAnswer,
  JobsAnswer,
  LogLine,
} from './api.js'

/** The lamps and buttons of the simulated board. */
export interface SimulatedBoard {
  lines(): readonly BoardLineState[]
  /** Presses the button behind an input device and lets it go after `holdMs` (20..10000). @throws BoxError */
  press(inputName: string, holdMs: number): void
}

/** The spool, as a reader sees it. */
export interface JobSource {
  /** Newest first; `limit` 1..200. Null: whichever. `before` is the sequence of a job: only older ones. */
  jobs(query: {
    readonly printer: string | null
    readonly state: JobAnswer['state'] | null
    readonly before: number | null
    readonly limit: number
  }): Promise<JobsAnswer>
  job(idOrSerial: string): Promise<JobAnswer | null>
}

/** What the packs were, as far back as it is kept. */
export interface HistorySource {
  /**
   * In ascending order; a point of which nothing is known is left out.
   * @throws BoxError `request.invalid` for a span that is none
   */
  history(query: {
    /** `all`, or a pack. */
    readonly series: string
    readonly fromWallMs: number
    readonly toWallMs: number
    readonly stepMs: number
  }): Promise<readonly HistoryAnswer['points'][number][]>
}

/** The venue's clock, as far back as it remembers. */
export interface ClockSource {
  /** Of the last ten minutes, oldest first. */
  history(): readonly ClockAnswer['points'][number][]
}

/** The log's own memory. */
export interface LogSource {
  /** The newest 1000 lines, oldest first; a line stays the same object for as long as it is kept. */
  recent(): readonly KeptLine[]
}

export const apiLine = ({ at, level, event, facts }: KeptLine): LogLine => ({
  wallMs: at,
  level,
  event,
  facts: { ...facts },
})

/** What came after `last`: all of it when `last` is not kept any more, nothing when there was no last line yet. */
export function linesAfter(
  lines: readonly KeptLine[],
  last: KeptLine | undefined,
): readonly KeptLine[] {
  return last === undefined ? [] : lines.slice(lines.lastIndexOf(last) + 1)
}
