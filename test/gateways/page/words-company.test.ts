/** The page's words for timecode and for the other boxes. */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Payload } from '../../../runtime/topics.js'
import { timecodeState, venueState } from '../../services/company-state.js'

type Timecode = Payload<'timecode/state'>
type Venue = Payload<'venue/state'>
interface Words {
  timecodeText(state: Timecode): string
  timecodeFigures(state: Timecode): string
  outputText(output: Timecode['outputs'][number]): string
  venueText(state: Venue): string
  memberText(member: Venue['members'][number]): string
}
interface Model {
  readonly timecode: Timecode | null
  readonly venue: Venue | null
}
interface Models {
  readonly emptyModel: Model
  apply(model: Model, event: string, message: { wallMs: number; payload: unknown }): Model
}

const assets = 'runtime/gateways/page/assets'
const asset = async (name: string): Promise<unknown> =>
  import(pathToFileURL(`${assets}/${name}`).href)
const isWords = (module: unknown): module is Words =>
  typeof module === 'object' && module !== null && 'timecodeText' in module
const isModels = (module: unknown): module is Models =>
  typeof module === 'object' && module !== null && 'emptyModel' in module
const words = await asset('words-company.js')
const models = await asset('model.js')
if (!isWords(words) || !isModels(models)) throw new Error('the page has other words')

const timecode: Timecode = { ...timecodeState, state: 'locked' }
const member: Venue['members'][number] = {
  box: 'box-2',
  role: 'following',
  isSameShow: true,
  isProven: true,
  positionsBehind: 0,
  lastHeardMs: 90,
  clockApartMs: 0,
  deliveryP99Ms: 1.25,
}
const venue: Venue = { ...venueState, role: 'following', members: [member], trouble: null }

t.test('what comes in is said in words, its flywheel too', async t => {
  const rows: readonly [Partial<Timecode>, string][] = [
    [{}, 'ltc at 25 is followed'],
    [{ state: 'flywheel' }, 'ltc at 25 is silent; the box goes on by itself'],
    [{ state: 'none', rate: null }, 'ltc nothing was heard yet'],
    [{ state: 'lost', trouble: 'no card' }, 'ltc at 25 was lost; no card'],
    [{ source: null }, 'none is followed'],
  ]
  for (const [change, text] of rows) t.equal(words.timecodeText({ ...timecode, ...change }), text)
  t.equal(words.timecodeFigures(timecode), 'speed 100.00 %, jitter 0.13 ms, lost 1 times')
  t.equal(
    words.timecodeFigures({ ...timecode, speed: null, jitterMs: null, lostCount: 2, jumpCount: 1 }),
    'lost 2 times, 1 jumps',
  )
})

t.test('what goes out is said with its position, or why it does not', async t => {
  const output = { kind: 'mtc', rate: '30', position: '01:00:00:00', trouble: null } as const
  t.equal(words.outputText(output), 'sent: 01:00:00:00')
  t.equal(words.outputText({ ...output, position: null }), 'not running')
  t.equal(words.outputText({ ...output, trouble: 'no port' }), 'no port')
})

t.test('who leads, and what is wrong with whom', async t => {
  t.equal(words.venueText(venue), 'follows box-1')
  t.equal(
    words.venueText({ ...venue, role: 'leading', trouble: '10.0.0.7 speaks' }),
    'this box leads; 10.0.0.7 speaks',
  )
  t.equal(words.memberText(member), 'following')
  t.equal(
    words.memberText({ ...member, lastHeardMs: 9_000, isSameShow: false, positionsBehind: 3 }),
    'gone, has another show, 3 behind',
  )
})

t.test('the stream tells of both as they change', async t => {
  const message = (payload: unknown) => ({ wallMs: 1, payload })
  const model = models.apply(models.emptyModel, 'timecode/state', message(timecode))
  t.same(model.timecode, timecode)
  t.same(models.apply(model, 'venue/state', message(venue)).venue, venue)
})

t.test('the page listens to both', async t => {
  const code = readFileSync(`${assets}/connection.js`, 'utf8')
  for (const topic of ['timecode/state', 'venue/state']) t.ok(code.includes(`'${topic}'`), topic)
})

t.test('every element that the panels draw is on the page', async t => {
  const page = readFileSync(`${assets}/index.html`, 'utf8')
  const code = readFileSync(`${assets}/company.js`, 'utf8')
  const ids = [...code.matchAll(/byId\('([a-z-]+)'\)/g)].flatMap(match => match[1] ?? [])
  t.ok(ids.length > 6)
  for (const id of ids) t.ok(page.includes(`id="${id}"`), id)
})
