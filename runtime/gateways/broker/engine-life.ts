/** An engine at work: how it begins, who comes in, and how it ends, with sockets under it or without. */
import type { Duplex } from 'node:stream'
import type { Peer } from './admission.js'
import type { Outgoing } from './bridge.js'
import type { Engine } from './engine.js'
import type { Origin } from './listeners.js'

/** @param ready called once the sessions of former starts are known, and before the box says anything */
export async function openEngine(engine: Engine, ready: () => void = () => {}): Promise<void> {
  await engine.aedes.listen()
  ready()
  engine.bridge.start(message => publish(engine, message))
}

/** @param closeSockets ends those that have not ended by then */
export async function closeEngine(engine: Engine, closeSockets: () => void): Promise<void> {
  engine.bridge.stop()
  // mqtt-packet hands its bytes over at the next tick: `sleeping` must leave before the sockets close.
  await new Promise<void>(resolve => process.nextTick(resolve))
  engine.reception.stopping()
  engine.persistence.keepWills()
  await new Promise<void>(resolve => engine.aedes.close(() => resolve()))
  closeSockets()
  await engine.persistence.destroy()
}

export function receive(
  { aedes, admission, persistence }: Engine,
  stream: Duplex,
  from: Origin,
): void {
  const peer: Peer = { ...from, connect: null, identity: null, granted: new Set() }
  const client = aedes.handle(stream)
  admission.remember(client, peer)
  stream.once('close', () => {
    admission.forget(client)
    persistence.life.close(client.id ?? '', client)
  })
}

export function publish({ aedes }: Engine, { topic, payload, qos, isRetained }: Outgoing): void {
  aedes.publish(
    { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain: isRetained },
    null,
    () => {},
  )
}
