import t from 'tap'
import { isNobodys, whyNotQuiet } from '../../../ota/process/quiet.js'
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
const held = (...names: readonly string[]): OtaState => ({
  ...waiting('switch'),
  unmet: names.map(name => ({ step: 'switch', name, words: 'x' })),
})
const stalled: OtaState = {
  ...idle,
  phase: 'fetching',
  unmet: [{ step: 'switch', name: 'pieces', words: 'nothing of it has come for 40 s' }],
}
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
    ['prepared, and the others are not ready', waiting('switch'), box, /to come, or to be tried/],
    ['prepared, and held, for days maybe', held('hold'), box, null],
    ['prepared, and nobody has asked for it', held('asked'), box, null],
    ['held, and not there yet', held('hold', 'in-slot'), box, /to come/],
    ['ordered, and about to be fetched', { ...waiting('switch'), unmet: [] }, box, /to come/],
    ['ordered, and failed to come', { ...waiting('switch'), trouble: 'x' }, box, null],
    ['being fetched, and nothing comes', stalled, box, null],
    ['ordered, and refused', waiting('take'), box, null],
    ['ordered, and no room', waiting('fetch'), box, null],
    ['an operating system on trial', { ...idle, os: os('trial') }, box, /operating system/],
    ['an operating system that waits', { ...idle, os: os('waiting') }, box, null],
    ['a box that does not answer', idle, null, /does not say whether a show is on/],
    ['a box that starts', idle, { ...box, isReady: false }, /starting/],
    ['an armed show', idle, { ...box, isArmed: true }, /armed/],
    ['a cue', idle, { ...box, runningCues: 1 }, /cue/],
    ['panic', idle, { ...box, isPanic: true }, /PANIC/],
    ['low', idle, { ...box, power: { percent: 39, isOnMains: false } }, /39 %/],
    ['on mains', idle, { ...box, power: { percent: 3, isOnMains: true } }, null],
  ]
  for (const [name, state, seen, why] of cases) {
    const said = whyNotQuiet(state, seen, { policy, isToBeTakenAgain: false })
    if (why === null) t.equal(said, null, name)
    else t.match(said, why, name)
  }
})

t.test('what the other boxes may take again is not written over', async t => {
  t.match(whyNotQuiet(idle, box, { policy, isToBeTakenAgain: true }), /take the release .* again/)
})

t.test(
  'what an update has left stays while it is on its way, and what is whole while it is ordered',
  async t => {
    const ordered = { ...idle, candidate: { digest: 'cd'.repeat(32), version: '1.5.0' } }
    const checked = { wallMs: 0, isFresh: true, words: '' }
    const pieces = { phase: stalled.phase, unmet: stalled.unmet }
    const cases: readonly [string, OtaState | null, boolean, boolean][] = [
      ['before the first turn', null, false, false],
      ['it is ordered, and on its way', { ...ordered, checked, phase: 'writing' }, false, false],
      ['it has failed to come', { ...ordered, checked, phase: 'waiting' }, true, false],
      ['nothing of it comes', { ...ordered, ...pieces, checked }, true, false],
      ['no repository was asked', idle, true, false],
      ['none answered', { ...idle, checked: { ...checked, isFresh: false } }, true, false],
      ['something else is ordered, or nothing', { ...idle, checked }, true, true],
    ]
    for (const [name, state, unfinished, prepared] of cases)
      t.same(
        [isNobodys(state, 'unfinished'), isNobodys(state, 'prepared')],
        [unfinished, prepared],
        name,
      )
  },
)
