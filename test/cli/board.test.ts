import t from 'tap'
import { CliFailure, exitCodes } from '../../runtime/cli/failure.js'
import { BoxError } from '../../runtime/core/errors.js'
import type { BoxSnapshot } from '../../runtime/gateways/page/api.js'
import { noLink, type } from './cli-world.js'

const state: BoxSnapshot = {
  wallMs: 0,
  isOperator: true,
  board: { name: 'simulated', title: 'Simulated board' },
  show: null,
  availability: null,
  info: null,
  showState: null,
  late: null,
  telemetry: null,
  broker: null,
  power: null,
  venue: null,
  batteries: [],
  clock: null,
  printers: [],
  devices: [],
  levels: {},
  colors: {},
  lines: null,
  recent: [],
}

/** A laptop: it has no board of its own. */
const board = async (name: string | null) => {
  if (name === null) throw new BoxError('board.unknown', 'this machine does not say what it is')
  return { text: `the pins of ${name}\n`, json: { board: name } }
}

t.test('on a laptop the board of the box that runs there is drawn, and it says so', async t => {
  const link = () => ({ ...noLink, state: async () => state })
  t.match(await type(['board'], { board, link }), {
    exitCode: exitCodes.ok,
    out: 'This machine is no board; this is the Simulated board of the box in /state.\n\nthe pins of simulated\n',
  })
  const { out } = await type(['board', '--json'], { board, link })
  t.same(JSON.parse(out), { board: 'simulated' })
})

t.test('on a laptop without a box it says how to name a board', async t => {
  const state = async (): Promise<never> => {
    throw new CliFailure(exitCodes.unreachable, 'no running box is known')
  }
  t.match(await type(['board'], { board, link: () => ({ ...noLink, state }) }), {
    exitCode: exitCodes.usage,
    error: /no board, and no box runs in \/state: name a board, like "roadcase board pi-4b"/,
  })
})

t.test('a board that is named, and every other failure, is not looked for elsewhere', async t => {
  t.equal((await type(['board', 'pi-5'], { board })).out, 'the pins of pi-5\n')
  const broken = async (): Promise<never> => {
    throw new BoxError('storage.io', 'the card is gone')
  }
  t.match(await type(['board'], { board: broken }), {
    exitCode: exitCodes.refused,
    error: /the card is gone/,
  })
})
