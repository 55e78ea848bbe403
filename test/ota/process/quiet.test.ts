import t from 'tap'
import { whyNotQuiet } from '../../../ota/process/quiet.js'
import type { BoxView } from '../../../ota/updater/criteria.js'
import { notUpdated } from '../../../ota/updater/os-report.js'
import type { OtaState } from '../../../ota/updater/parts.js'
import type { UpdaterPolicy } from '../../../ota/updater/updater-config.js'
import { otaState as idle } from '../../services/ota-state.js'
import { quietBox as box } from '../updater/os-updater-bench.js'

const policy: UpdaterPolicy = {
  activation: 'manual',
  batteryPercentMin: 40,
  mayUseMetered: false,
  fleetHealthyPercentMin: 75,
  fleetFailedMax: 1,
  fleetSystemFailedMax: 0,
}
const waiting = (step: OtaState['unmet'][number]['step']): OtaState => ({
  ...idle,
  phase: 'waiting',
  unmet: [{ step, name: 'x', words: 'x' }],
})
const os = (phase: 'trial' | 'waiting'): NonNullable<OtaState['os']> => ({
  ...notUpdated('x'),
  ...{ lacking: null, phase, running: 'a' },
})

t.test('the card is written for what has time only when nobody is disturbed', async t => {
  const cases: readonly [string, OtaState | null, BoxView | null, RegExp | null][] = [
    ['nothing to do', idle, box, null],
    ['before the first turn', null, box, /nothing is known/],
    ['fetching', { ...idle, phase: 'fetching' }, box, /release is under way/],
    ['on trial', { ...idle, phase: 'trial' }, box, /release is under way/],
    ['agreed', { ...idle, phase: 'agreed' }, box, /release is under way/],
    ['prepared, and held', waiting('switch'), box, /to come, or to be tried/],
    ['ordered, and about to be fetched', { ...waiting('switch'), unmet: [] }, box, /to come/],
    ['ordered, and refused', waiting('take'), box, null],
    ['ordered, and no room', waiting('fetch'), box, null],
    ['an operating system on trial', { ...idle, os: os('trial') }, box, /operating system/],
    ['an operating system that waits', { ...idle, os: os('waiting') }, box, null],
    ['a box that does not answer', idle, null, /does not say whether a show is on/],
    ['an armed show', idle, { ...box, isArmed: true }, /armed/],
    ['a cue', idle, { ...box, runningCues: 1 }, /cue/],
    ['panic', idle, { ...box, isPanic: true }, /PANIC/],
    ['low', idle, { ...box, power: { percent: 39, isOnMains: false } }, /39 %/],
    ['on mains', idle, { ...box, power: { percent: 3, isOnMains: true } }, null],
  ]
  for (const [name, state, seen, why] of cases) {
    const said = whyNotQuiet(state, seen, policy)
    if (why === null) t.equal(said, null, name)
    else t.match(said, why, name)
  }
})
