/**
 * Throws out whoever is no longer welcome: the connection at once, and with it what the broker would still do in that
 * name. Nothing more is forwarded, nothing that waits for its turn is published, and no will, which a stolen device could
 * have made a GO.
 */
import { named, type Peer, withoutPaper } from './admission.js'
import type { InnerClient } from './aedes-inside.js'
import type { Certificate } from './certificate.js'
import type { Engine } from './engine.js'
import type { Unwelcome } from './welcome.js'

type Parts = Pick<Engine, 'admission' | 'persistence' | 'refusals'>

/**
 * Also for those that are away: a name that is revoked leaves no session behind. A serial number has none, and neither has
 * a certificate that ran out: the next one of that name finds its session.
 */
export function evict(
  parts: Parts,
  reasonAgainst: (certificate: Certificate) => Unwelcome | null,
): void {
  const { admission, persistence } = parts
  for (const [client, peer] of admission.connected()) {
    // Who is still at the door is judged there, as the last thing before it opens, and gets an answer.
    const unwelcome = peer.identity ? reasonAgainst(named(peer)) : null
    if (unwelcome) throwOut(parts, client, peer, unwelcome)
  }
  const isRevoked = (name: string): boolean => reasonAgainst(withoutPaper(name)) !== null
  for (const { clientId, owner } of [...persistence.sessions.all()])
    if (owner !== '' && isRevoked(owner)) persistence.forget(clientId)
  // Of clients that never came back. Before wills knew their owner, a certificate's name was all there was to go by.
  for (const { clientId = '', owner = clientId } of persistence.willsOfOtherBoots())
    if (isRevoked(owner)) persistence.forgetWill(clientId)
}

function throwOut(
  { refusals, persistence }: Parts,
  client: InnerClient,
  peer: Peer,
  { reason, message }: Unwelcome,
): void {
  refusals.note(reason, {
    topic: '',
    client: client.id ?? '',
    message: `${message}: the connection is closed`,
  })
  if (client.id !== null) persistence.forgetWill(client.id)
  peer.identity = null
  peer.granted.clear()
  client.conn.destroy()
}
