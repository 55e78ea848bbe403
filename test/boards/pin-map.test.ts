import { readFileSync } from 'node:fs'
import t from 'tap'
import { boardByName, boards } from '../../boards/catalogue.js'
import { renderPinMap } from '../../boards/pin-map.js'
import { simulated } from '../../boards/simulated.js'

const WIRING: ReadonlyMap<string, string> = new Map([
  ['light-1', 'front-wash'],
  ['shutter', 'camera'],
  ['focus', 'camera'],
  ['go-button', 'go'],
  ['panic-button', 'panic'],
  ['header', 'dimmer'],
  ['dimmer-enable', 'dimmer'],
  ['pwm-1', 'a-device-whose-name-is-as-long-as-a-name-may-be-which-is-sixty-3'],
  ['printer', 'receipts'],
])

t.test('the map of a Pi 5 is the one in the golden file', async t => {
  const golden = readFileSync('test/boards/pin-map.golden.txt', 'utf8')
  t.equal(renderPinMap(boardByName('pi-5'), WIRING, { isColour: false }), golden)
})

t.test('no line is wider than 100 columns, on any board', async t => {
  const longest = new Map(
    [...simulated.lines.map(line => line.name), 'no-such-line'].map(name => [name, 'x'.repeat(90)]),
  )
  for (const board of boards)
    for (const line of renderPinMap(board, longest, { isColour: false }).split('\n'))
      t.ok(line.length <= 100, `${board.name}: ${line}`)
})

t.test('colour changes nothing but colour', async t => {
  const plain = renderPinMap(simulated, WIRING, { isColour: false })
  const coloured = renderPinMap(simulated, WIRING, { isColour: true })
  t.notOk(plain.includes('\u001b'))
  t.ok(coloured.includes('\u001b[32m'))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  const stripped = coloured.replaceAll(/\u001b\[\d+m/g, '')
  t.equal(stripped.replaceAll(/ +$/gm, ''), plain)
})

t.test('what is wired to no pin is named below the header', async t => {
  const map = renderPinMap(boardByName('lab'), WIRING, { isColour: false })
  t.match(map, 'not on the header: printer ← receipts')
  t.match(map, 'not on the header: pwm-1 ← a-device')
})

t.test('each line of the board stands beside its BCM number', async t => {
  const map = renderPinMap(simulated, new Map(), { isColour: false })
  for (const line of simulated.lines)
    t.match(
      map,
      new RegExp(`${line.name} +GPIO${line.offset} |GPIO${line.offset} +${line.name}\\b`),
    )
})
