import { NS_PER_MS } from '../../core/time.js'
import type { Log } from '../../ports/log.js'
import type { Notice } from './venue-time.js'

/** What a technician wants to find in the log afterwards; the states on the way are not. */
export function logNotice(log: Log, notice: Notice): void {
  switch (notice.kind) {
    case 'state':
      break
    case 'leader':
      log.info('clock.leader', { identity: notice.identity, isOwn: notice.isOwn })
      break
    case 'stepped':
      log.warn('clock.stepped', { byMs: notice.byNs / NS_PER_MS })
      break
    case 'distrusted':
      log.warn('clock.distrusted', { identity: notice.identity, byMs: notice.byNs / NS_PER_MS })
      break
    case 'leader-stepped':
      log.warn('clock.leader-stepped', { byMs: notice.byNs / NS_PER_MS })
  }
}
