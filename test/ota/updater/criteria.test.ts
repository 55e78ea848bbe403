import t from 'tap'
import { checkDescription } from '../../../ota/release/description.js'
import { type CriteriaView, judge, unmet } from '../../../ota/updater/criteria.js'
import { checkUpdaterConfig } from '../../../ota/updater/updater-config.js'

const digest = 'ab'.repeat(32)
const description = checkDescription({
  format: 1,
  product: 'roadcase',
  version: '1.5.0',
  architecture: 'arm64',
  boards: ['pi-4'],
  manifest: { sha256: digest, byteCount: 100 },
  treeByteCount: 10_000_000,
  treeFileCount: 2,
  floor: null,
  minimumUpdater: '1.2.0',
  notes: '',
  objects: [
    {
      kind: 'full',
      from: null,
      target: `objects/${digest}.full`,
      byteCount: 500,
      sha256: digest,
      pieceByteCount: 262_144,
      pieces: 'A'.repeat(44),
    },
  ],
})
const { policy } = checkUpdaterConfig({ schemaVersion: 1, tour: 'tour-7', box: 'box-1' })
const fine: CriteriaView = {
  description,
  orderTrouble: null,
  isLooked: true,
  stalledSeconds: null,
  isTimeKnown: true,
  updaterVersion: '1.4.0',
  architecture: 'arm64',
  running: { digest: 'cd'.repeat(32), version: '1.4.0' },
  floor: '1.3.0',
  refused: [],
  isOnTrial: false,
  isPrepared: true,
  isLying: false,
  roomBytes: 1e9,
  formats: { running: { config: 1, store: 3 }, prepared: { config: 1, store: 3 } },
  box: {
    board: 'pi-4',
    isReady: true,
    isUtcKnown: true,
    isArmed: false,
    isPanic: false,
    runningCues: 0,
    power: null,
  },
  fleet: { heard: 4, healthy: 4, failed: [] },
  holds: [],
  isMetered: false,
  policy,
  isAskedFor: false,
}
const names = (view: CriteriaView): string[] => unmet(judge(view), 'switch').map(({ name }) => name)
const box = (changes: Partial<NonNullable<CriteriaView['box']>>): CriteriaView => ({
  ...fine,
  box: {
    board: 'pi-4',
    isReady: true,
    isUtcKnown: true,
    isArmed: false,
    isPanic: false,
    runningCues: 0,
    power: null,
    ...changes,
  },
})

t.test('a release that nothing stands against is taken', async t => {
  t.same(names(fine), [])
  t.ok(judge(fine).length > 12, 'and every criterion is told')
})

const cases: readonly (readonly [string, CriteriaView, RegExp])[] = [
  ['news', { ...fine, running: { digest, version: '1.5.0' } }, /is ordered, and runs/],
  ['architecture', { ...fine, architecture: 'x64' }, /arm64.*x64/],
  ['board', box({ board: 'pi-5' }), /pi-4.*pi-5/],
  ['updater', { ...fine, updaterVersion: '1.1.9' }, /1\.2\.0 at least/],
  ['floor', { ...fine, floor: '1.6.0' }, /below 1\.6\.0/],
  ['not-refused', { ...fine, refused: [{ digest, why: 'crashed' }] }, /crashed.*ota clear abab/],
  ['time', { ...fine, isTimeKnown: false }, /does not know the date/],
  [
    'reversible',
    { ...fine, formats: { running: { config: 1, store: 3 }, prepared: { config: 1, store: 4 } } },
    /format 4.*reads 3 at most.*no way back.*in between/,
  ],
  ['no-trial', { ...fine, isOnTrial: true }, /way back/],
  ['not-armed', box({ isArmed: true }), /armed/],
  ['no-panic', box({ isPanic: true }), /PANIC/],
  ['no-cue', box({ runningCues: 2 }), /2 cues/],
  ['box', { ...fine, box: null, description: { ...description, boards: null } }, /not disturbed/],
  ['battery', box({ power: { percent: 39.4, isOnMains: false } }), /39 %, and 40 are wanted/],
  ['battery', box({ power: { percent: null, isOnMains: null } }), /nobody knows/],
  ['asked', { ...fine, policy: { ...policy, activation: 'manual' } }, /roadcase ota apply/],
  ['fleet', { ...fine, fleet: { heard: 4, healthy: 2, failed: [] } }, /only 2 of 4/],
  [
    'fleet-failures',
    { ...fine, fleet: { heard: 4, healthy: 4, failed: ['box-2', 'box-3'] } },
    /box-2, box-3 went back from 1\.5\.0, .* no more than 1 may.* on each of them .*ota clear 1\.5\.0/,
  ],
  [
    'hold',
    {
      ...fine,
      holds: [
        {
          id: 'h3',
          owner: 'Kim',
          reason: 'rehearsal',
          madeWallMs: 0,
          leftMs: null,
          minutes: 90,
          leftMinutes: 61,
        },
      ],
    },
    /Kim holds it back for 1 h 1 min more: rehearsal.*--release h3/,
  ],
]

t.test('each criterion that is not met is told alone, with what would help', async t => {
  for (const [name, view, words] of cases) {
    t.same(names(view), [name])
    t.match(unmet(judge(view), 'switch')[0]?.words, words)
  }
})

t.test('what keeps a box from switching does not keep it from preparing', async t => {
  const view = { ...box({ isArmed: true }), isPrepared: false }
  t.same(unmet(judge(view), 'fetch'), [])
  t.same(names(view), ['in-slot', 'not-armed'])
})

t.test('neither a full card nor an uplink that costs money is used by itself', async t => {
  const missing = { ...fine, isPrepared: false }
  t.match(unmet(judge({ ...missing, roomBytes: 50_000_000 }), 'fetch'), [
    { name: 'room', words: /78 MB of the card, and there are 50/ },
  ])
  const tree = 10_000_000 + 64 * 1024 * 1024
  t.match(
    unmet(judge({ ...missing, roomBytes: tree }), 'fetch'),
    [{ name: 'room' }],
    'what it is made of lies beside it',
  )
  t.same(unmet(judge({ ...missing, roomBytes: tree + 500 + 2 * 2048 }), 'fetch'), [])
  t.match(unmet(judge({ ...missing, isMetered: true }), 'fetch'), [{ name: 'uplink' }])
  t.same(unmet(judge({ ...missing, isMetered: true, isAskedFor: true }), 'fetch'), [])
  const may = { ...policy, mayUseMetered: true }
  t.same(unmet(judge({ ...missing, isMetered: true, policy: may }), 'fetch'), [])
})

t.test('a battery that charges, or that has enough, is no obstacle', async t => {
  t.same(names(box({ power: { percent: 3, isOnMains: true } })), [])
  t.same(names(box({ power: { percent: 40, isOnMains: false } })), [])
})

t.test('without an order there is one reason, and it is told', async t => {
  const view = { ...fine, description: null, orderTrouble: 'the repository has expired' }
  t.match(judge(view), [{ name: 'order', isMet: false, words: 'the repository has expired' }])
})

t.test('ota.json is taken with its defaults, and refused with the field that is wrong', async t => {
  const good = { schemaVersion: 1, tour: 'tour-7', box: 'box-1' }
  t.equal(checkUpdaterConfig(good).policy.batteryPercentMin, 40)
  t.equal(checkUpdaterConfig({ ...good, venue: {} }).venue?.port, 4320)
  const wrong = { ...good, repositories: ['ftp://x'], policy: { batteryPercentMin: 101 } }
  t.throws(() => checkUpdaterConfig(wrong), {
    message: /ota\.repositories\[0\].*\n.*ota\.policy\.batteryPercentMin/,
  })
  t.throws(() => checkUpdaterConfig({ ...good, repositories: ['http://user@x/'] }), {
    message: /without user/,
  })
})

t.test('of what runs already nothing else is asked', async t => {
  const running = { digest, version: '1.5.0' }
  t.match(judge({ ...fine, running }), {
    length: 1,
    0: { name: 'news', words: /is ordered, and runs/ },
  })
  t.match(judge({ ...fine, running, isOnTrial: true }), { length: 1, 0: { words: /on trial/ } })
})

t.test('before the first look the date is no matter: nothing was judged by it', async t => {
  const view = { ...fine, isLooked: false, isTimeKnown: false }
  t.same(
    unmet(judge(view), 'switch').map(({ name }) => name),
    ['looked'],
  )
  t.match(unmet(judge({ ...view, isLooked: true }), 'switch'), [{ name: 'time' }])
})
