import type { Payload } from '../../runtime/topics.js'

/** An updater with nothing to do. */
export const otaState: Payload<'ota/state'> = {
  phase: 'idle',
  running: { digest: 'ab'.repeat(32), version: '1.4.0' },
  slot: 'a',
  slots: null,
  previous: null,
  candidate: null,
  ordered: { digest: 'ab'.repeat(32), version: '1.4.0' },
  progress: null,
  unmet: [],
  checked: null,
  floor: null,
  refused: [],
  switchShowMs: null,
  holds: [],
  trouble: null,
  os: null,
}
