/** What every entry of the table of topics says of itself. */
import type { object } from './schema.js'

export interface TopicShape {
  readonly payload: ReturnType<typeof object>
  /** `state` is retained and tells how things are; `event` tells what happened; `command` asks. */
  readonly kind: 'state' | 'event' | 'command'
  readonly qos: 0 | 1
  /** Below `vb/<tour>/<box>/`; `{field}` is filled from the payload. Null for what stays inside the box. */
  readonly path: string | null
  readonly summary: string
}

export const topic = <const T extends TopicShape>(entry: T): T => entry
