/** What the steps of the second pass share while a show is put together. */
import type { Problem } from '../../core/errors.js'
import { suggestion } from '../../core/nearest.js'
import { type Locate, pathText } from '../../core/schema.js'
import type { Aim, CapturePatch, Output } from './checked-show.js'
import type { ShowDocument } from './format.js'

export type Path = readonly (string | number)[]

/** A device that the show may speak of. */
export interface KnownDevice {
  readonly name: string
  /** A chord of inputs counts as an input. */
  readonly kind: 'light' | 'input' | 'capture' | 'printer' | 'gauge'
  /** Null when not known before the device is fitted. */
  readonly channelCount: number | null
  readonly isDimmable: boolean | null
}

/** Collects everything that is wrong, each with path and place. */
export class Problems {
  readonly found: Problem[] = []
  readonly #locate: Locate

  constructor(locate: Locate) {
    this.#locate = locate
  }

  add(path: Path, message: string): void {
    this.found.push({ path: pathText('show', path), message, place: this.#locate(path) })
  }
}

export interface Draft {
  readonly document: ShowDocument
  readonly problems: Problems
  /** The box that runs the show, or null when it is not known. */
  readonly box: string | null
  /** Null: devices are not known, and not checked. */
  readonly devices: readonly KnownDevice[] | null
  /** Names of the box's ticket templates; null: not known, and not checked. */
  readonly templates: readonly string[] | null
  readonly outputs: ReadonlyMap<string, Output>
  readonly captures: ReadonlyMap<string, CapturePatch>
  readonly groups: ReadonlyMap<string, readonly Output[]>
}

/** Null, and a problem, when there is no such scene. */
export function knownScene(
  draft: Draft,
  scenes: ReadonlyMap<string, readonly Aim[]>,
  id: string,
  path: Path,
): readonly Aim[] | null {
  const scene = scenes.get(id)
  if (scene) return scene
  draft.problems.add(path, `names ${id}, which is not a scene${suggestion(id, scenes.keys())}`)
  return null
}
