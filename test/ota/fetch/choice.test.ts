import t from 'tap'
import { chooseNext, type Offer } from '../../../ota/fetch/choice.js'
import type { SourceKind } from '../../../runtime/ports/piece-source.js'

const offer = (kind: SourceKind, name: string, more: Partial<Offer> = {}): Offer => ({
  source: { name, kind, ask: () => ({ done: Promise.resolve(), cancel: () => {} }) },
  has: () => true,
  inFlight: 0,
  isWholeOnly: false,
  ...more,
})

function chosen(offers: readonly Offer[], inFlight = 0): string | null {
  const want = {
    pieceCount: 40,
    isWanted: (index: number) => index > 2,
    offers,
    inFlight,
    uplinkInFlight: 0,
    uplinkMax: 2,
    chance: 0,
  }
  const choice = chooseNext(want)
  return choice && `${choice.offer.source.name} ${choice.first}+${choice.count}`
}

t.test('the stick comes before a box, and a box before the uplink', async t => {
  const [hub, box, stick] = [offer('uplink', 'hub'), offer('peer', 'box'), offer('folder', 'stick')]
  t.equal(chosen([hub, box, stick]), 'stick 3+32')
  t.equal(chosen([hub, box]), 'box 3+1')
  t.equal(chosen([hub]), 'hub 3+16')
  t.equal(chosen([]), null)
  t.equal(chosen([hub], 8), null, 'enough is under way')
})

t.test(
  'what another box has is not taken over the uplink, even while that box is busy',
  async t => {
    const hub = offer('uplink', 'hub')
    t.equal(chosen([hub, offer('peer', 'box', { inFlight: 2 })]), null)
    const some = offer('peer', 'box', { inFlight: 2, has: index => index < 10 })
    t.equal(chosen([hub, some]), 'hub 10+16')
  },
)

t.test('one without ranges is the last of its kind, and brings all at once', async t => {
  const old = offer('uplink', 'old', { isWholeOnly: true })
  t.equal(chosen([old, offer('uplink', 'hub', { inFlight: 1 })]), 'hub 3+16')
  t.equal(chosen([old]), 'old 3+37')
  t.equal(chosen([{ ...old, inFlight: 1 }]), null)
})
