import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { BoardVoice } from '../../../ota/updater/board-voice.js'
import type { VenueWord } from '../../../ota/updater/venue-switch.js'

const SECOND_MS = 1_000
const said: VenueWord = {
  box: 'a',
  digest: 'd'.repeat(64),
  stage: 'prepared',
  at: null,
  obstacle: null,
  showMs: 5,
}

function bench() {
  const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
  const sent: unknown[] = []
  const board = { isOpen: true }
  let hear: (box: string, bytes: Uint8Array | null) => void = () => {}
  const voice = new BoardVoice(
    clock,
    {
      start: async () => {},
      stop: async () => {},
      isOpen: () => board.isOpen,
      onChange: () => () => {},
      say: bytes => void sent.push(JSON.parse(new TextDecoder().decode(bytes))),
      onWord: listener => {
        hear = listener
        return () => {}
      },
    },
    { box: 'a', isWell: () => true },
  )
  voice.start()
  const tell = (word: object, from = 'b'): void =>
    hear(from, new TextEncoder().encode(JSON.stringify(word)))
  return { clock, voice, sent, tell, board }
}
const wordOf = (sequence: number, more: object = {}): object => ({
  ...said,
  format: 1,
  box: 'b',
  sequence,
  isWell: true,
  ...more,
})

t.test(
  'news is said at once, the same once a second, with the show time of that moment',
  async t => {
    const { clock, voice, sent } = bench()
    voice.say(said)
    voice.say({ ...said, showMs: 255 })
    t.equal(sent.length, 1, 'that time goes by is no news')
    await clock.advance(SECOND_MS)
    voice.say({ ...said, showMs: 1_005 })
    t.match(sent[1], { showMs: 1_005 })
    voice.say({ ...said, stage: 'agreed', at: 9_000, showMs: 1_010 })
    t.match(sent[2], { stage: 'agreed', at: 9_000 })
  },
)

t.test('what the broker only kept is no sign of life, nor is the same word again', async t => {
  const { clock, voice, tell } = bench()
  tell(wordOf(1))
  t.equal(voice.heard().size, 0)
  tell(wordOf(1))
  t.equal(voice.heard().size, 0)
  tell(wordOf(2))
  await clock.advance(SECOND_MS)
  t.match(voice.heard().get('b'), { word: { ...said, box: 'b' }, ageMs: SECOND_MS })
})

t.test(
  'a box with a newer release may say more; in the name of another it says nothing',
  async t => {
    const { voice, tell } = bench()
    for (const sequence of [1, 2]) tell(wordOf(sequence, { mood: 'fine' }))
    t.ok(voice.heard().has('b'))
    for (const sequence of [1, 2]) tell(wordOf(sequence), 'c')
    for (const sequence of [1, 2]) tell(wordOf(sequence, { box: 'a' }), 'a')
    for (const sequence of [1, 2]) tell(wordOf(sequence, { box: 'd', showMs: 'soon' }), 'd')
    t.same([...voice.heard().keys()], ['b'])
  },
)

t.test('who went back from a release is known, and who is well, for a minute', async t => {
  const { clock, voice, tell } = bench()
  for (const sequence of [1, 2]) tell(wordOf(sequence, { stage: 'failed' }))
  for (const sequence of [1, 2]) tell(wordOf(sequence, { box: 'c', isWell: false }), 'c')
  t.same(voice.fleet(said.digest), { heard: 2, healthy: 1, failed: ['b'] })
  t.same(voice.fleet('e'.repeat(64)), { heard: 2, healthy: 1, failed: [] })
  await clock.advance(61 * SECOND_MS)
  t.same(voice.fleet(said.digest), { heard: 0, healthy: 0, failed: [] })
})

t.test(
  'what is said of systems goes with it, and what nobody understands spoils nothing',
  async t => {
    const { voice, sent, tell } = bench()
    const goes = { digest: said.digest, stage: 'goes' as const, refused: [] }
    t.equal(voice.systems.saidForMs(), null)
    voice.systems.say(goes)
    t.equal(voice.systems.saidForMs(), null, 'not yet')
    voice.say(said)
    t.match(sent.at(-1), { os: goes })
    t.equal(voice.systems.saidForMs(), 0)
    for (const sequence of [1, 2]) tell(wordOf(sequence, { os: { ...goes, stage: 'flies' } }))
    t.match(voice.systems.heard().get('b'), { word: null })
    t.ok(voice.heard().has('b'))
    tell(wordOf(3, { os: goes }))
    tell(wordOf(4, { os: null }))
    t.match(voice.systems.heard().get('b'), { word: goes }, 'it does not know yet what it runs')
    tell(wordOf(5, { os: { ...goes, stage: 'stays', refused: [said.digest] } }))
    t.match(voice.systems.heard().get('b'), { word: { stage: 'stays' } })
    t.match(voice.systems.fleet(said.digest, 1_000), { heard: 1, failed: ['b'] })
  },
)

t.test('a box that does not tell its show time is not said to have claimed anything', async t => {
  const { clock, voice } = bench()
  voice.systems.say({ digest: null, stage: 'claims', refused: [] })
  voice.say(said)
  await clock.advance(2 * SECOND_MS)
  t.equal(voice.systems.saidForMs(), 2 * SECOND_MS)
  await clock.advance(2 * SECOND_MS)
  t.equal(voice.systems.saidForMs(), null)
})

t.test('nobody is silent while the broker is away', async t => {
  const { clock, voice, tell, board } = bench()
  const stays = { digest: null, stage: 'stays' as const, refused: [] }
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      await clock.advance(SECOND_MS)
      voice.systems.say(stays)
    }
  }
  voice.systems.say(stays)
  for (const sequence of [1, 2]) tell(wordOf(sequence, { os: stays }))
  await pass(5)
  board.isOpen = false
  await pass(600)
  board.isOpen = true
  await pass(5)
  const { ageMs = 0, silentMs = 0 } = voice.systems.heard().get('b') ?? {}
  t.equal(ageMs, 610 * SECOND_MS)
  t.ok(silentMs >= 9 * SECOND_MS && silentMs <= 11 * SECOND_MS, `${silentMs} ms`)
  tell(wordOf(3, { os: stays }))
  t.match(voice.systems.heard().get('b'), { ageMs: 0, silentMs: 0 })
})
