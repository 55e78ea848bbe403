/**
 * Throws out whoever is no longer welcome: the connection at once, and with it what the broker would still do in that
 * name. Nothing more is forwarded, nothing that waits for its turn is published, and no will, which a stolen device could
 * have made a GO.
 */
import { type Certificate, named, type Peer } from './admission.js'
import type { InnerClient } from './aedes-inside.js'
import type { Engine } from './engine.js'

type Parts = Pick<Engine, 'admission' | 'persistence' | 'refusals'>

/** Also for those that are away: a name that is revoked leaves no session behind. A serial number has none. */
export function evict(parts: Parts, isRevoked: (certificate: Certificate) => boolean): void {
  const { admission, persistence } = parts
  for (const [client, peer] of admission.connected())
    if (isRevoked(named(peer))) throwOut(parts, client, peer)
  for (const { clientId, owner } of [...persistence.sessions.all()])
    if (owner !== '' && isRevoked({ name: owner, serial: '' })) persistence.forget(clientId)
  // Of clients that never came back; one with a certificate is called by its name.
  for (const { clientId = '' } of persistence.willsOfOtherBoots())
    if (isRevoked({ name: clientId, serial: '' })) persistence.forget(clientId)
}

function throwOut({ refusals, persistence }: Parts, client: InnerClient, peer: Peer): void {
  refusals.note('client.revoked', {
    topic: '',
    client: client.id ?? '',
    message: `"${named(peer).name}" is no longer welcome: the connection is closed`,
  })
  // Before it was let in, its client identifier may be anybody's.
  if (peer.identity && client.id !== null) persistence.forgetWill(client.id)
  peer.identity = null
  peer.granted.clear()
  client.conn.destroy()
}
