import type { ToLauncher } from '../slots/messages.js'
import type { LauncherLink } from '../updater/parts.js'

/** The launcher's own look comes after the gate's. */
const SLACK_MS = 15_000

/** What the updater tells the launcher, over Node's channel between parent and child. */
export function launcherLink(send: (message: ToLauncher) => void): LauncherLink {
  return {
    gate: (unmet, deadlineMs) => send({ kind: 'gate', unmet, trialMs: deadlineMs + SLACK_MS }),
    passed: () => send({ kind: 'passed' }),
    restart: why => send({ kind: 'restart', why }),
  }
}
