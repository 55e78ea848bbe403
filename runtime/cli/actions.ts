/** What the command line can do, given from outside so that every command can be tried without a box. */
import type { KeysTool } from '../../ota/keys-cli.js'
import type { OsDescription } from '../../ota/os/os-description.js'
import type { OsBuildWish } from '../../ota/os-build.js'
import type { PublishTool } from '../../ota/publish-cli.js'
import type { BuiltRelease, ReleaseBuildOptions } from '../../ota/release-build.js'
import type { BoxLink } from './box-link.js'
import type { KeyFlags, RepositoryFlags } from './key-options.js'
import type { OtaLink } from './ota-link.js'
import type { Preview, PreviewOptions } from './print-preview.js'

export interface RunOptions {
  /** box.json */
  readonly configFile: string
  /** Null: found out from the machine. */
  readonly boardName: string | null
  readonly stateFolder: string
}

/** For people, and for programs. */
export interface Report {
  /** Whole lines. */
  readonly text: string
  readonly json: unknown
}

export interface CheckedFile {
  readonly kind: 'box' | 'ota' | 'show' | 'template'
  readonly name: string
  /** Suspicious but allowed. */
  readonly warnings: readonly string[]
}

export interface SimulateOptions {
  /** When GO is pressed, in milliseconds from the beginning. */
  readonly goMs: readonly number[]
  /** What else happens: `12s fire 3`. */
  readonly deeds: readonly string[]
  /** Null: a minute after the last GO or deed. */
  readonly untilMs: number | null
  /** 0: only where something happens. */
  readonly everyMs: number
}

/** Null: the checkout that this command is of. */
export type ReleaseBuildWish = Omit<ReleaseBuildOptions, 'checkout'> & {
  readonly checkout: string | null
}

export interface CliActions {
  /** Lets this process become the box, which goes on until it is asked to stop. */
  run(options: RunOptions): Promise<void>
  /**
   * @param boardName the board that a box.json is for
   * @throws ConfigError with every problem of the file
   */
  check(file: string, boardName: string): Promise<CheckedFile>
  /** @throws ConfigError when the show or a deed is wrong */
  simulate(showFile: string, options: SimulateOptions): Promise<Report>
  /** @throws ConfigError when one of the shows is wrong */
  diff(before: string, after: string): Promise<Report>
  /** The pins of a board and what a box.json wires to them. Nulls: this machine's board, nothing wired. */
  board(name: string | null, configFile: string | null, isColour: boolean): Promise<Report>
  /**
   * What a ticket would look like; written to a file, or drawn for the terminal.
   * @throws ConfigError when the template or the ticket is wrong
   */
  preview(options: PreviewOptions, isColour: boolean): Promise<Preview>
  /**
   * @param say told what is being done
   * @throws CliFailure where there is no checkout; BoxError `release.unbuilt`, `release.invalid`
   */
  buildRelease(wish: ReleaseBuildWish, say: (what: string) => void): Promise<BuiltRelease>
  /**
   * @param say told what is being done
   * @throws BoxError `release.invalid`, `release.conflict`, `storage.io`
   */
  buildOs(wish: OsBuildWish, say: (what: string) => void): Promise<OsDescription>
  /** The running box that keeps its state in this folder. */
  link(stateFolder: string): BoxLink
  /** The updater of the slots in this folder. */
  otaLink(home: string): OtaLink
  /** The keys that sign releases; loaded when they are asked for. */
  keys(flags: KeyFlags): Promise<KeysTool>
  /** A repository of releases; loaded when it is asked for. */
  publishing(flags: RepositoryFlags): Promise<PublishTool>
}
