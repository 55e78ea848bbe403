/** What brings the files of a release into a slot, by whatever means. */
export interface Installer {
  /**
   * Fills the folder until it is the release, manifest included. It may find there what an earlier call for the same
   * release left when it was killed. It need not sync, nor be believed: all of it is verified afterwards.
   * @param slotFolder absolute
   */
  install(
    slotFolder: string,
    progress: (progress: InstallProgress) => void,
    isCancelled: () => boolean,
  ): Promise<void>
}

export interface InstallProgress {
  readonly step: 'writing' | 'verifying'
  readonly done: number
  readonly all: number
}

export interface InstallWishes {
  readonly progress: (progress: InstallProgress) => void
  readonly isCancelled: () => boolean
}
