/**
 * RAUC as an image brings it, and the machine that it starts (rauc.readthedocs.io; de.pengutronix.rauc.Installer). Slots are
 * called by the names of its system.conf: `rootfs.0`. Every call may throw BoxError `os.unsupported` when there is no RAUC that
 * answers, and `os.refused` with its own words: when it is busy for somebody else, or does not do what is asked. A mark that it
 * cannot make is `os.unsupported`, too: the boot loader is out of its reach.
 */
export interface Rauc {
  status(): Promise<RaucStatus>
  /**
   * What a bundle says of itself, once RAUC trusts its signature.
   * @param path of a file that nobody has open for writing
   */
  inspect(path: string): Promise<RaucBundle>
  /**
   * Writes the bundle to the slots that do not run. Whether they are the primary ones afterwards depends on how the image
   * was made. RAUC cannot be stopped once it is at it: a call that gave up is told by `status`, which refuses until then.
   * @param progress percent, as it comes
   */
  install(path: string, progress: (percent: number) => void): Promise<void>
  /** `active`: started first from now on, with all its attempts. `good`: all attempts again. `bad`: not started any more. */
  mark(mark: RaucMark, slot: string): Promise<void>
  /**
   * Lower-case hexadecimal SHA-256 of the first bytes of a slot, as the medium has them and not as memory does. Throws
   * `storage.io` for one that is in use.
   */
  sha256(slot: string, byteCount: number): Promise<string>
  /** Another one after each boot, whatever the reason for it. */
  bootId(): Promise<string>
  /**
   * What the kernel was told of the slot that it starts from, in the words by which RAUC knows it, too: the same in each boot
   * of a slot, and others in the other one. Null where it does not say. Answered where RAUC is not. Throws `os.unsupported`
   * where it says that it was started from no slot at all.
   */
  startedFrom(): Promise<string | null>
  /** Resolves when the system goes down. Throws BoxError `power.refused`. */
  reboot(): Promise<void>
}

export type RaucMark = 'good' | 'bad' | 'active'

export interface RaucStatus {
  /** What bundles must be for. */
  readonly compatible: string
  /** Of the hardware; null: there are none. */
  readonly variant: string | null
  /** What a plain reboot starts, if it can be started; null: the boot loader's variables do not say. */
  readonly primary: string | null
  readonly slots: readonly RaucSlot[]
}

export interface RaucSlot {
  readonly name: string
  /** The first part of its name. */
  readonly slotClass: string
  /** What it belongs to, such as a boot partition to a root; null: it stands for itself. */
  readonly parent: string | null
  /** Whether the boot loader can start it. */
  readonly isBootable: boolean
  /** Whether the machine was started from it. */
  readonly isBooted: boolean
  /** Whether its bytes are those of the image that was installed, and nothing else. */
  readonly isRaw: boolean
  readonly content: RaucContent
}

export type RaucContent =
  /** Nothing was ever noted, or it was lost. */
  | { readonly kind: 'unsaid' }
  /** Being installed, or that has failed. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'installed'; readonly byteCount: number; readonly sha256: string }

export interface RaucBundle {
  readonly compatible: string
  readonly images: readonly RaucImage[]
}

export interface RaucImage {
  readonly slotClass: string
  /** Of the hardware; null: for all that have none of their own. */
  readonly variant: string | null
  /** Whether it is copied as it is, and nothing of the bundle has a hand in it. */
  readonly isVerbatim: boolean
  readonly byteCount: number
  readonly sha256: string
}
