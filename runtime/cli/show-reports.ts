/** What a show would do, and what a new version of it would change. */
import type { Keys } from '../ports/keys.js'
import { checkShow } from '../services/show/check-show.js'
import type { CheckedShow } from '../services/show/checked-show.js'
import { diffShows, renderDifferences } from '../services/show/diff-shows.js'
import { renderTable } from '../services/show/render-table.js'
import { readScript, type ScriptLine, simulate } from '../services/show/simulate.js'
import type { Report, SimulateOptions } from './actions.js'
import { readText } from './check-file.js'

const AFTER_LAST_MS = 60_000

/** @throws ConfigError for a wrong show and for a wrong line of the script */
export async function simulateReport(
  file: string,
  { goMs, deeds, untilMs, everyMs }: SimulateOptions,
  keys: Keys,
): Promise<Report> {
  const show = await readShow(file, keys)
  const script: readonly ScriptLine[] = [
    ...goMs.map(atMs => ({ atMs, command: { action: 'go' as const } })),
    ...readScript(deeds),
  ]
  const lastMs = Math.max(0, ...script.map(({ atMs }) => atMs))
  const rows = simulate(show, script, { untilMs: untilMs ?? lastMs + AFTER_LAST_MS, everyMs })
  return {
    get text() {
      return renderTable(show, rows)
    },
    get json() {
      return rows.map(({ atMs, what, levels }) => ({ atMs, what, levels: named(show, levels) }))
    },
  }
}

/** @throws ConfigError when one of the shows is wrong */
export async function diffReport(before: string, after: string, keys: Keys): Promise<Report> {
  const differences = diffShows(await readShow(before, keys), await readShow(after, keys))
  const text = differences.length === 0 ? 'nothing has changed\n' : renderDifferences(differences)
  return { text, json: differences }
}

const readShow = async (file: string, keys: Keys): Promise<CheckedShow> =>
  checkShow(await readText(file), { keys, box: null, devices: null, templates: null })

/** The components of each output, by its name. */
const named = (show: CheckedShow, levels: Float64Array): Record<string, number[]> =>
  Object.fromEntries(
    show.outputs.map(({ name, offset, componentCount }) => [
      name,
      [...levels.subarray(offset, offset + componentCount)],
    ]),
  )
