/** What a release says of itself to who starts it: release.json and launch.json, in one spelling. */
import type { Architecture } from './description.js'

/** A small young generation: a few megabytes less, and shorter pauses. */
const SMALL = '--max-semi-space-size=1'
/** The threads that fire choose themselves when they collect garbage. */
const BOX_ARGUMENTS = [SMALL, '--expose-gc'] as const
const UPDATER_ARGUMENTS = [SMALL] as const

/** Where Node lies in a release that brings it. */
export const NODE_FILE = 'bin/node'

export interface ReleaseFacts {
  readonly version: string
  readonly architecture: Architecture
  readonly node: { readonly version: string; readonly isIncluded: boolean }
  /** Seconds since 1970, of the commit. */
  readonly sourceEpoch: number
  /** The formats that it writes. */
  readonly formats: { readonly config: number; readonly store: number }
  /** The newest formats that it reads. */
  readonly reads: { readonly config: number; readonly store: number }
}

export const releaseJson = (facts: ReleaseFacts): string => {
  const { version, architecture, node, sourceEpoch, formats, reads } = facts
  return json({
    format: 1,
    product: 'roadcase',
    version,
    architecture,
    node: { version: node.version, isIncluded: node.isIncluded },
    sourceEpoch,
    formats: { config: formats.config, store: formats.store },
    reads: { config: reads.config, store: reads.store },
  })
}

/** @param isIncluded whether the release brings its Node */
export const launchJson = (isIncluded: boolean, hasUpdater: boolean): string =>
  json({
    format: 1,
    node: isIncluded ? NODE_FILE : null,
    box: { script: 'program/main.js', nodeArguments: BOX_ARGUMENTS },
    updater: hasUpdater ? { script: 'program/updater.js', nodeArguments: UPDATER_ARGUMENTS } : null,
  })

/** By this file the program finds the folder of its release. */
export const packageJson = (version: string): string =>
  json({ name: 'roadcase', version, private: true, license: 'MIT', type: 'module' })

/** Lines, so that a small change is a small patch. */
export const json = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`
