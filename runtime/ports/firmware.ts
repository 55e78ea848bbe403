/**
 * What chooses the operating system before there is one: the boot loader of the board and its small file. As documented
 * for the Raspberry Pi: autoboot.txt, `reboot "0 tryboot"`, /chosen/bootloader of the device tree.
 */
export interface Firmware {
  /** Throws BoxError `os.unsupported` on a machine that was not started this way. */
  booted(): Promise<Booted>
  /** autoboot.txt as the medium has it; null when there is none. Throws BoxError `storage.io`. */
  readAutoboot(): Promise<Uint8Array | null>
  /**
   * Changes bytes of autoboot.txt where they are: neither its length nor its place on the medium changes. After this
   * resolves they are there after any power cut; a cut before it leaves each byte old or new. Throws BoxError `storage.io`.
   */
  overwriteAutoboot(offset: number, bytes: Uint8Array): Promise<void>
  /**
   * Asks for a reboot whose boot is on trial. The wish holds for one boot, and a power cut before that may lose it or
   * keep it. Resolves when the system goes down. Throws BoxError `power.refused`.
   */
  rebootOnTrial(): Promise<void>
  /** A plain reboot. Resolves when the system goes down. Throws BoxError `power.refused`. */
  reboot(): Promise<void>
}

export interface Booted {
  /** Number of the partition that the firmware took the boot files from, 1 and up. */
  readonly partition: number
  /** Whether this boot was asked for by `rebootOnTrial`, as the firmware tells it. */
  readonly hasTrialFlag: boolean
  /** Another one after each boot, whatever the reason for it. */
  readonly bootId: string
}
