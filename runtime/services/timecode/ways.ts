/** What box.json calls `artnet`: what it is made of on the way in and on the way out. */
import type { TimecodeOutputConfig, TimecodeSourceConfig } from '../../core/timecode-config.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { TimecodeLinks } from '../../ports/timecode-links.js'
import { writeArtTimeCode } from './art-timecode.js'
import { Door } from './door.js'
import type { Way } from './sender.js'
import { artNetSource, type Source } from './source.js'

/** A way out that is kept open. */
export interface Outlet extends Way {
  /** Tries until it works, or `close`. */
  open(): void
  close(): Promise<void>
}

export function sourceOf(links: TimecodeLinks, config: TimecodeSourceConfig): Source {
  return artNetSource(links.datagrams(config.port), config.from)
}

export function outletOf(
  clock: Clock,
  log: Log,
  links: TimecodeLinks,
  { to, port, rate }: TimecodeOutputConfig,
): Outlet {
  const socket = links.datagrams(0)
  const door = new Door(clock, log, 'artnet', socket)
  return {
    open: () => door.open(),
    close: () => door.close(),
    send: frame => socket.send(writeArtTimeCode(frame, rate), to, port),
    trouble: () => door.trouble ?? socket.trouble(),
  }
}
