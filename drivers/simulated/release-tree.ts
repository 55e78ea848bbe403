import { BoxError } from '../../runtime/core/errors.js'
import type { NewFile, OpenFile, ReleaseTreeWriter } from '../../runtime/ports/release-tree.js'
import { type Power, SimulatedPower } from './power.js'

interface SimulatedFile {
  readonly mode: '644' | '755'
  bytes: Uint8Array
}

const MANIFEST = 'manifest'

/**
 * A folder for a release on a disk with a write cache. A cut keeps, drawn from the seed, some of the files that were not
 * settled, whole, torn or empty, and of those removed some; but what was settled, and the removal of a manifest, stays.
 */
export class SimulatedReleaseTree {
  /** What a power cut met that was not settled. */
  tornFiles = 0
  /** Told after a power cut, when what was lost is lost. */
  onCut: () => void = () => {}
  readonly #random: () => number
  readonly #power: SimulatedPower
  #files = new Map<string, SimulatedFile>()
  /** As they would be found after a cut at the worst moment. */
  #safe = new Map<string, SimulatedFile>()

  constructor(random: () => number = () => 0) {
    this.#random = random
    this.#power = new SimulatedPower(() => this.#loseUnsettled())
  }

  /** Power comes back, and goes again after so many calls. */
  boot(options: { callsUntilPowerCut: number }): ReleaseTreeWriter {
    const power = this.#power.on(options)
    return {
      open: path => powered(power, () => this.#open(power, path)),
      clear: async () => {
        await powered(power, () => this.#removeManifest())
        await powered(power, () => this.#files.clear())
      },
      create: (path, mode) => powered(power, () => this.#create(power, path, mode)),
      settle: () => powered(power, () => this.#settle()),
      finish: async manifest => {
        const bytes = manifest.slice()
        await powered(power, () => this.#files.set(MANIFEST, { mode: '644', bytes }))
        await powered(power, () => this.#safe.set(MANIFEST, { mode: '644', bytes }))
      },
    }
  }

  /** What lies on the disk now; the test may change it. */
  get files(): ReadonlyMap<string, { readonly mode: '644' | '755'; readonly bytes: Uint8Array }> {
    return this.#files
  }

  put(path: string, bytes: Uint8Array, mode: '644' | '755' = '644'): void {
    this.#files.set(path, { mode, bytes })
    this.#safe.set(path, { mode, bytes })
  }

  cutPower(): void {
    this.#power.cut()
  }

  #open(power: Power, path: string): OpenFile | null {
    const file = this.#files.get(path)
    if (file === undefined) return null
    return {
      byteCount: file.bytes.length,
      read: (at, into) =>
        powered(power, () => {
          const part = file.bytes.subarray(at, at + into.length)
          into.set(part)
          return part.length
        }),
      close: () => powered(power, () => {}),
    }
  }

  #create(power: Power, path: string, mode: '644' | '755'): NewFile {
    if (this.#files.has(path)) throw new BoxError('storage.io', `${path} is there`)
    const file: SimulatedFile = { mode, bytes: new Uint8Array() }
    this.#files.set(path, file)
    return {
      write: bytes => {
        const own = bytes.slice()
        return powered(power, () => {
          const longer = new Uint8Array(file.bytes.length + own.length)
          longer.set(file.bytes)
          longer.set(own, file.bytes.length)
          file.bytes = longer
        })
      },
      close: () => powered(power, () => {}),
    }
  }

  #removeManifest(): void {
    this.#files.delete(MANIFEST)
    this.#safe.delete(MANIFEST)
  }

  #settle(): void {
    this.#safe = new Map([...this.#files].map(([path, file]) => [path, { ...file }]))
  }

  #loseUnsettled(): void {
    const found = new Map<string, SimulatedFile>()
    for (const path of new Set([...this.#safe.keys(), ...this.#files.keys()])) {
      const [safe, file] = [this.#safe.get(path), this.#files.get(path)]
      // It is renamed into its place: whole, or not there.
      const isRenamed = path === MANIFEST && safe === undefined
      const kept = isRenamed ? this.#wholeOrNone(file) : this.#keptOf(safe, file)
      if (kept !== null) found.set(path, kept)
    }
    this.#files = found
    this.onCut()
    this.#safe = new Map([...found].map(([path, file]) => [path, { ...file }]))
  }

  #wholeOrNone(file: SimulatedFile | undefined): SimulatedFile | null {
    return this.#random() < 0.5 ? (file ?? null) : null
  }

  #keptOf(safe: SimulatedFile | undefined, file: SimulatedFile | undefined): SimulatedFile | null {
    if (safe !== undefined && file?.bytes === safe.bytes) return safe
    if (file === undefined || this.#random() < 0.2) return safe ?? null
    const byteCount = Math.floor(this.#random() * (file.bytes.length + 1))
    if (byteCount < file.bytes.length) this.tornFiles++
    return { mode: file.mode, bytes: file.bytes.slice(0, byteCount) }
  }
}

/** A call from before a power cut never returns. */
async function powered<T>(power: Power, action: () => T): Promise<T> {
  await Promise.resolve()
  return power.isThere() ? action() : new Promise<T>(() => {})
}
