/**
 * From the start of a bad release's trial to READY of the release before, by what is wrong with it. The limits are those
 * of a box; the programs are small, so that a real box adds twice its own start.
 *   npm run bench ota-rollback            about three minutes
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Behaviour } from '../fixtures/slot-program.js'
import { Home } from '../ota/slots/launched.js'
import { smallRelease } from '../ota/slots/small-release.js'
import { printTable } from './table.js'

const MS_MAX = 180_000
const CASES: readonly [Behaviour, string][] = [
  ['crash', 'crashes at its start, three attempts'],
  ['never-ready', 'never says READY'],
  ['hang', 'READY, then its main thread hangs'],
  ['gate-fails', 'READY, then a device does not answer'],
]

async function measure(behaviour: Behaviour): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-rollback-'))
  const release = (version: string, of: Behaviour) =>
    smallRelease({ version, floor: null, behaviour: of, launcher: null })
  const home = new Home(join(folder, 'home'), release('1.0.0', 'good'))
  try {
    home.launch({})
    await home.ready('1.0.0', 0, MS_MAX)
    await home.stop()
    await home.install('a', release('1.1.0', behaviour))
    const after = home.events().length
    home.launch({})
    const trial = await home.until(
      'the trial begins',
      () =>
        home
          .events()
          .slice(after)
          .find(({ event }) => event === 'trial'),
      MS_MAX,
    )
    const { atMs } = await home.ready('1.0.0', after, MS_MAX)
    return (atMs - trial.atMs) / 1000
  } finally {
    await home.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

// Side by side: they wait, and do not work.
const seconds = await Promise.all(CASES.map(([behaviour]) => measure(behaviour)))
printTable(
  CASES.map(([, words], index) => ({
    'the new release': words,
    'back on the old one after': `${(seconds[index] ?? Number.NaN).toFixed(1)} s`,
  })),
)
