import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { type Drop, StorePersistence } from '../../../runtime/gateways/broker/persistence.js'
import type { Store } from '../../../runtime/ports/store.js'

/** A persistence without a broker. */
export function persistenceOn(
  store: Store,
  drops: Drop[] = [],
  perSessionMax = 10_000,
  ownerOf: (client: object) => string = () => '',
): StorePersistence {
  return new StorePersistence(
    new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    new SimulatedLog(),
    store,
    {
      queue: {
        perSessionMax,
        perOnlineSessionMax: 10_000,
        bytesMax: 64 * 1024 * 1024,
      },
      retained: { countMax: 10_000, bytesMax: 1024 * 1024, isVolatile: () => false },
      sessions: { countMax: 100, expiryHours: 2 },
      isGranted: () => true,
      ownerOf,
      onDrop: drop => void drops.push(drop),
      onCommitMs: () => {},
    },
  )
}
