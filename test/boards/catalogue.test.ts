import t from 'tap'
import { type Board, boardSchema } from '../../boards/board.js'
import { boardByName, boards, detectBoard } from '../../boards/catalogue.js'
import { bootPull, headerPinAt } from '../../boards/header.js'
import { check } from '../../runtime/core/schema.js'

const repeated = (values: readonly (string | number | null)[]): (string | number | null)[] =>
  values.filter((value, index) => value !== null && values.indexOf(value) !== index)

const pinsOf = (board: Board): (number | null)[] => [
  ...board.lines.map(line => line.headerPin),
  ...board.i2cBuses.flatMap(bus => [bus.dataPin, bus.clockPin]),
  ...board.serialPorts.flatMap(port => [port.transmitPin, port.receivePin]),
  ...board.pwmOutputs.map(output => output.headerPin),
]

for (const board of boards)
  t.test(`the board ${board.name}`, async t => {
    t.test('keeps to the schema', async t => {
      t.same(check(boardSchema, board, 'board'), board)
    })

    t.test('gives each name once', async t => {
      t.same(repeated(board.lines.map(line => line.name)), [])
      t.same(repeated(board.i2cBuses.map(bus => bus.name)), [])
      t.same(repeated(board.serialPorts.map(port => port.name)), [])
      t.same(repeated(board.pwmOutputs.map(output => output.name)), [])
    })

    t.test('uses each line and each pin once', async t => {
      t.same(repeated(board.lines.map(line => `${line.chip}/${line.offset}`)), [])
      t.same(repeated(pinsOf(board)), [])
    })

    t.test('has each line on the pin that carries it', async t => {
      for (const line of board.lines)
        if (line.headerPin !== null) t.equal(headerPinAt(line.headerPin), line.offset, line.name)
    })

    t.test('keeps every output off from reset until the runtime drives it', async t => {
      for (const line of board.lines.filter(line => line.direction === 'out'))
        t.equal(bootPull(line.offset), line.activeLevel === 'high' ? 'down' : 'up', line.name)
    })

    t.test('reads a contact whose wire is cut as not pressed', async t => {
      for (const line of board.lines.filter(line => line.direction === 'in'))
        t.match(line, { activeLevel: 'low', bias: 'pull-up' }, line.name)
    })

    t.test('has the lines that every venue box has, so that boxes can be swapped', async t => {
      t.same(
        board.lines.map(line => line.name),
        [
          ...['light-1', 'light-2', 'light-3', 'light-4', 'light-5', 'light-6'],
          ...['relay-1', 'relay-2', 'focus', 'shutter', 'dimmer-enable'],
          ...['go-button', 'back-button', 'panic-button', 'footswitch', 'beam', 'sync'],
        ],
      )
    })
  })

t.test('no two boards share a name or a model', async t => {
  t.same(repeated(boards.map(board => board.name)), [])
  t.same(repeated(boards.flatMap(board => board.models)), [])
})

t.test('each board is found by its name', async t => {
  for (const board of boards) t.equal(boardByName(board.name), board)
})

t.test(
  'a misspelt name is refused with the name that was meant and all that are known',
  async t => {
    t.throws(() => boardByName('simulatd'), {
      code: 'config.invalid',
      message:
        'board: "simulatd" is not a known board (did you mean "simulated"?); known are ' +
        'simulated, lab, pi-zero-2-w, pi-3b-plus, pi-4b, cm4, pi-5',
    })
  },
)

/** Model strings as the firmware writes them, with the NUL at the end. */
const MACHINES: readonly (readonly [model: string, board: string])[] = [
  ['Raspberry Pi Zero 2 W Rev 1.0\0', 'pi-zero-2-w'],
  ['Raspberry Pi Zero 2 Rev 1.0\0', 'pi-zero-2-w'],
  ['Raspberry Pi 3 Model B Rev 1.2\0', 'pi-3b-plus'],
  ['Raspberry Pi 3 Model B Plus Rev 1.3\0', 'pi-3b-plus'],
  ['Raspberry Pi 4 Model B Rev 1.5\0', 'pi-4b'],
  ['Raspberry Pi Compute Module 4 Rev 1.1\0', 'cm4'],
  ['Raspberry Pi 5 Model B Rev 1.1\0', 'pi-5'],
  ['Raspberry Pi 5 Model B', 'pi-5'],
]

t.test('each machine is known by the model it calls itself', async t => {
  for (const [model, board] of MACHINES)
    t.equal(detectBoard(model).name, board, JSON.stringify(model))
})

/** Near misses: another header, another Ethernet port, or none. */
const STRANGERS = [
  'Raspberry Pi 500 Rev 1.0\0',
  'Raspberry Pi Compute Module 4S Rev 1.0\0',
  'Raspberry Pi 4 Model Bravo',
  'Raspberry Pi',
  'QEMU Virtual Machine\0',
  '',
  '\0Raspberry Pi 5 Model B',
]

t.test('a machine that only begins like a known one is not taken for it', async t => {
  for (const model of STRANGERS)
    t.throws(() => detectBoard(model), { code: 'board.unknown' }, JSON.stringify(model))
})

t.test('an unknown machine is told what it calls itself, what is known and what to do', async t => {
  t.throws(() => detectBoard('Orange Pi Zero 3\0'), {
    message:
      /calls itself "Orange Pi Zero 3".*Raspberry Pi 5 Model B.*--board.*docs\/contributing.md/,
  })
})
