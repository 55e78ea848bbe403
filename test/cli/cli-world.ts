/** The command line with a terminal that remembers. */
import type { CliActions } from '../../runtime/cli/actions.js'
import type { BoxLink } from '../../runtime/cli/box-link.js'
import { runCli } from '../../runtime/cli/program.js'

export interface Typed {
  readonly exitCode: number
  readonly out: string
  readonly error: string
}

const missing = async (): Promise<never> => {
  throw new Error('this test does not expect that')
}

export const noLink: BoxLink = {
  command: missing,
  print: missing,
  decide: missing,
  setDate: missing,
  jobs: missing,
  job: missing,
  state: missing,
  lateness: missing,
  clock: missing,
  logs: missing,
  follow: missing,
}

export const noActions: CliActions = {
  run: missing,
  check: missing,
  simulate: missing,
  diff: missing,
  board: missing,
  preview: missing,
  buildRelease: missing,
  buildOs: missing,
  link: () => noLink,
  otaLink: () => ({ ask: missing, pause: missing }),
  keys: missing,
  publishing: missing,
}

/** Types one line at the command line. */
export async function type(
  words: readonly string[],
  actions: Partial<CliActions> = {},
  isColour = false,
): Promise<Typed> {
  let out = ''
  let error = ''
  const terminal = {
    write: (text: string): void => {
      out += text
    },
    writeError: (text: string): void => {
      error += text
    },
    isColour,
  }
  const options = { version: '9.9.9', stateFolder: '/state', home: '/home-of-slots' }
  const exitCode = await runCli(words, { ...noActions, ...actions }, terminal, options)
  return { exitCode, out, error }
}
