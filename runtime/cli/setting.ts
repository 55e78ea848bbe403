import type { CliActions } from './actions.js'
import type { BoxLink } from './box-link.js'
import type { Terminal } from './terminal.js'

/** What every command has around it. The functions are asked when the command runs, after its options were read. */
export interface CliSetting {
  readonly actions: CliActions
  readonly terminal: Terminal
  readonly isJson: () => boolean
  readonly stateFolder: () => string
  readonly link: () => BoxLink
}
