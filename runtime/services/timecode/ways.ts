/** What box.json calls `artnet`, `mtc` and `ltc`: what each is made of on the way in and on the way out. */
import type {
  LtcOutputConfig,
  TimecodeOutputConfig,
  TimecodeSourceConfig,
} from '../../core/timecode-config.js'
import type { Clock } from '../../ports/clock.js'
import type { Log } from '../../ports/log.js'
import type { TimecodeLinks } from '../../ports/timecode-links.js'
import type { Payload } from '../../topics.js'
import { writeArtTimeCode } from './art-timecode.js'
import { doorTo } from './door.js'
import { LtcSender } from './ltc-sender.js'
import { MtcOutlet } from './mtc-outlet.js'
import { Sender, type Way } from './sender.js'
import { artNetSource, ltcSource, mtcSource, type Source } from './source.js'

/** One timecode that the box sends. */
export interface Output {
  start(): void
  stop(): Promise<void>
  /** @param startShowMs null: it is not, or not any more */
  setArmed(startShowMs: number | null): void
  read(): Payload<'timecode/state'>['outputs'][number]
}

/** A way out that is kept open. */
interface Outlet extends Way {
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

export function outputOf(
  clock: Clock,
  log: Log,
  links: TimecodeLinks,
  config: TimecodeOutputConfig,
): Output {
  if (config.kind === 'ltc') return new LtcSender(clock, log, links.soundOut(config.device), config)
  const outlet = outletOf(clock, log, links, config)
  const sender = new Sender(clock, config, outlet)
  return {
    start: () => {
      outlet.open()
      sender.start()
    },
    stop: () => {
      sender.stop()
      return outlet.close()
    },
    setArmed: startShowMs => sender.setArmed(startShowMs),
    read: () => sender.read(),
  }
}

function outletOf(
  clock: Clock,
  log: Log,
  links: TimecodeLinks,
  config: Exclude<TimecodeOutputConfig, LtcOutputConfig>,
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
