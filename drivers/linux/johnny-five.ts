/**
 * The only file that loads johnny-five, and only when a sketch asks for it. No driver of the box uses it.
 *
 * johnny-five 2.1.0 animates (fades, pulses, servo sweeps) on wall time, by the package `temporal`, which visits every
 * millisecond between two looks at the clock: set the clock ahead by a day, or leave a sketch idle for one, and the next
 * fade stops the process for minutes. So both files that read the wall clock for it are replaced before johnny-five is
 * loaded: `temporal` by a timer, and `lib/animation.js` by itself with a `Date` that never steps.
 */
import { readFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { dirname } from 'node:path'
import { performance } from 'node:perf_hooks'
import { compileFunction } from 'node:vm'
import { BoxError } from '../../runtime/core/errors.js'

/** What a component offers a sketch; each has methods of its own, see johnny-five.io/api. */
export interface Component {
  on(event: string, listener: (value: unknown) => void): void
}

export interface SketchBoard extends Component {
  readonly io: unknown
}

export interface Led {
  on(): void
  off(): void
  brightness(value: number): void
  blink(everyMs: number): void
  fade(value: number, durationMs: number, done?: () => void): void
  pulse(durationMs: number): void
  stop(): void
}

export interface Relay {
  readonly isClosed: boolean
  open(): void
  close(): void
}

export interface Sensor extends Component {
  readonly value: number
  /** Its events come from a timer that keeps the process alive. */
  disable(): void
}

export type Make<T> = new (options: unknown) => T

/** The components that are tried on a venue box. Others are there too: `five['Thermometer']`. */
export interface SteadyJohnnyFive {
  /** Its animations do not follow the wall clock. */
  readonly isSteady: true
  readonly Board: Make<SketchBoard> & { readonly Virtual: Make<SketchBoard> }
  readonly Button: Make<Component>
  readonly Expander: Make<Component>
  readonly Led: Make<Led>
  readonly Relay: Make<Relay>
  readonly Sensor: Make<Sensor>
  readonly [component: string]: unknown
}

/**
 * Loads johnny-five with animations that keep their own time.
 * @throws BoxError `native.missing` when it is not installed, `command.refused` when a sketch loaded it by other means
 */
export function loadJohnnyFive(): SteadyJohnnyFive {
  const require = createRequire(import.meta.url)
  const main = resolve(require, 'johnny-five')
  const inside = createRequire(main)
  const temporal = inside.resolve('temporal')
  const animation = inside.resolve('./animation.js')
  if (!require.cache[temporal]?.exports.isSteady) {
    if (require.cache[main] || require.cache[temporal])
      throw new BoxError(
        'command.refused',
        'johnny-five is loaded already, with animations that stop the process when the clock is set; ' +
          'take it from loadJohnnyFive() and nowhere else',
      )
    require.cache[temporal] = moduleOf(temporal, { isSteady: true, loop })
    require.cache[animation] = withSteadyDate(animation)
  }
  return { ...require(main), isSteady: true }
}

function resolve(require: NodeJS.Require, name: string): string {
  try {
    return require.resolve(name)
  } catch (cause) {
    throw new BoxError('native.missing', `${name} is not installed`, { cause })
  }
}

/** Milliseconds since the process began. The only thing that the replaced files ask of a `Date`. */
const steadyDate = { now: (): number => performance.now() }

/** All that johnny-five uses of `temporal`. */
function loop(everyMs: number, task: (frame: { calledAt: number }) => void): { stop(): void } {
  const timer = setInterval(() => task({ calledAt: steadyDate.now() }), Math.max(1, everyMs))
  return { stop: () => clearInterval(timer) }
}

function moduleOf(path: string, exports: unknown): Module {
  const module = new Module(path)
  module.filename = path
  module.exports = exports
  module.loaded = true
  return module
}

/** The file as it is, compiled as Node does it, with `Date` among the names it is given. */
function withSteadyDate(path: string): Module {
  const module = moduleOf(path, {})
  const names = ['exports', 'require', 'module', '__filename', '__dirname', 'Date']
  const run = compileFunction(readFileSync(path, 'utf8'), names, { filename: path })
  run.call(
    module.exports,
    module.exports,
    createRequire(path),
    module,
    path,
    dirname(path),
    steadyDate,
  )
  return module
}
