/** How well packs that the box has never seen are known over a day of discharge, by packs of the textbook. */
import {
  discharged,
  type TextbookOutcome,
  type TextbookPlace,
  textbookTrial,
} from '../simulation/textbook-packs.js'
import { printTable } from './table.js'

const places: readonly TextbookPlace[] = (['li-ion', 'lifepo4', 'lead-acid'] as const).flatMap(
  chemistry =>
    [1, 0.95, 0.9, 1.1].flatMap(capacity =>
      [1, 0.6].map(charge => ({ chemistry, capacity, charge })),
    ),
)

export function textbookTable(packs: number): void {
  printTable(places.map(place => textbookRow(place, packs)))
}

function textbookRow(place: TextbookPlace, packs: number): Record<string, string | number> {
  const outcomes: TextbookOutcome[] = []
  for (let seed = 1; seed <= packs; seed++) {
    const trial = { ...textbookTrial(place, seed), everySeconds: 2 }
    outcomes.push(discharged(trial))
  }
  const errors = outcomes.map(({ errorMax }) => errorMax).sort((a, b) => a - b)
  const squares = outcomes.reduce((sum, { errorRms }) => sum + errorRms ** 2, 0)
  return {
    chemistry: place.chemistry,
    'of what is printed': place.capacity,
    'begun at': place.charge,
    packs,
    'error max': errors.at(-1) ?? 0,
    'error max, median pack': errors[Math.floor(errors.length / 2)] ?? 0,
    'error RMS': Math.sqrt(squares / packs),
    inside: outcomes.reduce((sum, { honest }) => sum + honest, 0) / packs,
    'inside, least': Math.min(...outcomes.map(({ honest }) => honest)),
  }
}
