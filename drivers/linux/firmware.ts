import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError, messageOf } from '../../runtime/core/errors.js'
import type { Booted, Firmware } from '../../runtime/ports/firmware.js'
import type { Libc } from './libc.js'

const ANSWER_MS_MAX = 10_000
/** The firmware reads 512; more than that is not ours. */
const AUTOBOOT_BYTES_MAX = 4096

export type RebootCommand = readonly [program: string, ...words: string[]]

export interface FirmwareFiles {
  /** Where the partition with autoboot.txt is mounted, writable. */
  readonly bootFolder: string
  /** /proc/device-tree/chosen/bootloader on a Pi. */
  readonly deviceTree: string
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootIdFile: string
}

export interface RebootCommands {
  readonly onTrial: RebootCommand
  readonly plain: RebootCommand
}

export const usualReboot: RebootCommand = ['systemctl', '--no-ask-password', 'reboot']

/**
 * `reboot "0 tryboot"` of the documentation, as systemctl(1) of systemd 246 and later hands it to reboot(2): read, and tried
 * on no Pi.
 */
const USUAL: RebootCommands = {
  onTrial: ['systemctl', '--no-ask-password', '--reboot-argument=0 tryboot', 'reboot'],
  plain: usualReboot,
}

/** The boot loader of a Raspberry Pi, through what it leaves for Linux and what it reads of it. */
export class LinuxFirmware implements Firmware {
  readonly #files: FirmwareFiles
  readonly #calls: Pick<Libc, 'dropCache'>
  readonly #commands: RebootCommands

  constructor(
    files: FirmwareFiles,
    calls: Pick<Libc, 'dropCache'>,
    commands: RebootCommands = USUAL,
  ) {
    this.#files = files
    this.#calls = calls
    this.#commands = commands
  }

  async booted(): Promise<Booted> {
    const partition = await this.#cell('partition')
    const flag = await this.#cell('tryboot')
    const bootId = await readFile(this.#files.bootIdFile, 'utf8')
    return { partition, hasTrialFlag: flag === 1, bootId: bootId.trim() }
  }

  readAutoboot(): Promise<Uint8Array | null> {
    return this.#with(constants.O_RDONLY, async file => {
      // Of the page that memory holds, only what is on the medium already can be let go of.
      this.#calls.dropCache(file.fd)
      const { size } = await file.stat()
      if (size > AUTOBOOT_BYTES_MAX)
        throw new BoxError('storage.limit', `autoboot.txt has ${size} bytes`)
      return Uint8Array.from(await file.readFile())
    })
  }

  /**
   * One sector with the bytes, and the one with the time of the file, are written where they are: FAT has no journal, and a
   * rename would write directory and allocation table, in an order that nobody promises.
   */
  async overwriteAutoboot(offset: number, bytes: Uint8Array): Promise<void> {
    const done = await this.#with(constants.O_RDWR, async file => {
      const { size } = await file.stat()
      if (offset + bytes.length > size)
        throw new BoxError('storage.io', 'autoboot.txt has no such bytes')
      await file.write(bytes, 0, bytes.length, offset)
      await file.sync()
      return true
    })
    if (done === null) throw new BoxError('storage.io', 'there is no autoboot.txt')
  }

  rebootOnTrial(): Promise<void> {
    return askReboot(this.#commands.onTrial)
  }

  reboot(): Promise<void> {
    return askReboot(this.#commands.plain)
  }

  async #cell(name: string): Promise<number> {
    const path = join(this.#files.deviceTree, name)
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw new BoxError('os.unsupported', `the firmware does not say ${name}`, { cause })
    })
    // Cells of a device tree are big-endian.
    if (bytes.length === 4) return bytes.readUInt32BE(0)
    throw new BoxError('os.unsupported', `${path} has ${bytes.length} bytes, and a cell has 4`)
  }

  /** Null when there is no autoboot.txt. */
  async #with<T>(flags: number, work: (file: FileHandle) => Promise<T>): Promise<T | null> {
    try {
      const file = await open(join(this.#files.bootFolder, 'autoboot.txt'), flags)
      try {
        return await work(file)
      } finally {
        await file.close()
      }
    } catch (cause) {
      if (cause instanceof BoxError) throw cause
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
      throw new BoxError('storage.io', `autoboot.txt: ${messageOf(cause)}`, { cause })
    }
  }
}

/** @throws BoxError `power.refused` */
export function askReboot([program, ...words]: RebootCommand): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, words, { timeout: ANSWER_MS_MAX }, (error, _, complaint) => {
      if (error === null) return resolve()
      const why = complaint.trim().slice(0, 200) || error.message
      reject(new BoxError('power.refused', `${program}: ${why}`, { cause: error }))
    })
  })
}
