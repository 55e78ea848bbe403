/** What box.json calls `artnet`, `mtc` and `ltc`: what each is made of on the way in and on the way out. */
import type { TimecodeOutputConfig, TimecodeSourceConfig } from '../../core/timecode-config.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { TimecodeLinks } from '../../ports/timecode-links.js'
import { writeArtTimeCode } from './art-timecode.js'
import { doorTo } from './door.js'
import { MtcOutlet } from './mtc-outlet.js'
import type { Way } from './sender.js'
import { artNetSource, ltcSource, mtcSource, type Source } from './source.js'

/** A way out that is kept open. */
export interface Outlet extends Way {
  /** Tries until it works, or `close`. */
  open(): void
  close(): Promise<void>
}

export function sourceOf(clock: Clock, links: TimecodeLinks, config: TimecodeSourceConfig): Source {
  switch (config.kind) {
    case 'artnet':
      return artNetSource(links.datagrams(config.port), config.from)
    case 'mtc':
      return mtcSource(links.midi(config.device), clock)
    case 'ltc':
      return ltcSource(links.soundIn(config.device, config.sampleRate), config)
  }
}

export function outletOf(
  clock: Clock,
  log: Log,
  links: TimecodeLinks,
  config: TimecodeOutputConfig,
): Outlet {
  if (config.kind === 'mtc')
    return new MtcOutlet(clock, log, links.midi(config.device), config.rate)
  const { to, port, rate } = config
  const socket = links.datagrams(0)
  const door = doorTo(clock, log, 'artnet', socket)
  return {
    parts: 1,
    open: () => door.open(),
    close: () => door.close(),
    send: frame => socket.send(writeArtTimeCode(frame, rate), to, port),
    trouble: () => door.trouble ?? socket.trouble(),
  }
}
