/** Power as the code of one boot feels it. */
export interface Power {
  /** Takes one call's worth. False when there is no power any more: the caller must never be answered. */
  isThere(): boolean
}

/** Counts calls until the lights go out. Whoever is called with the power of an earlier boot is a ghost, and stays one. */
export class SimulatedPower {
  readonly #onCut: () => void
  #boot = 0
  #callsLeft = 0
  #isOn = false

  constructor(onCut: () => void) {
    this.#onCut = onCut
  }

  on(options: { callsUntilPowerCut: number }): Power {
    this.cut()
    const boot = ++this.#boot
    this.#callsLeft = options.callsUntilPowerCut
    this.#isOn = true
    return { isThere: () => this.#take(boot) }
  }

  cut(): void {
    if (!this.#isOn) return
    this.#isOn = false
    this.#onCut()
  }

  #take(boot: number): boolean {
    if (!this.#isOn || boot !== this.#boot) return false
    if (this.#callsLeft-- > 0) return true
    this.cut()
    return false
  }
}
