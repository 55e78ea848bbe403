/** Asks the system to go down in order: by systemd where it runs, by the classic command elsewhere. */
import { execFile } from 'node:child_process'
import { BoxError } from '../../runtime/core/errors.js'
import type { PowerSwitch } from '../../runtime/ports/power-switch.js'

const ANSWER_MS_MAX = 10_000

export type ShutdownCommand = readonly [program: string, ...words: string[]]

/** `systemctl` asks logind, which lets the user of the box do it (see docs/power.md); `shutdown` needs root. */
const USUAL: readonly ShutdownCommand[] = [
  ['systemctl', '--no-ask-password', 'poweroff'],
  ['shutdown', '-h', 'now'],
]

export class LinuxPowerSwitch implements PowerSwitch {
  readonly #commands: readonly ShutdownCommand[]

  constructor(commands: readonly ShutdownCommand[] = USUAL) {
    this.#commands = commands
  }

  /** Tries one command after the other. Resolves when the system has taken one. */
  async shutDown(): Promise<void> {
    const failures: string[] = []
    for (const command of this.#commands) {
      const failure = await failureOf(command)
      if (failure === null) return
      failures.push(failure)
    }
    throw new BoxError('power.refused', `the system does not go down: ${failures.join('; ')}`)
  }
}

/** Null when it went well. */
function failureOf([program, ...words]: ShutdownCommand): Promise<string | null> {
  return new Promise(resolve => {
    execFile(program, words, { timeout: ANSWER_MS_MAX }, (error, _, complaint) => {
      if (error === null) resolve(null)
      else resolve(`${program}: ${complaint.trim().slice(0, 200) || error.message}`)
    })
  })
}
