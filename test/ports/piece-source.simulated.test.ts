import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedVenueOfPieces } from '../../drivers/simulated/piece-network.js'
import { randomFrom } from '../../runtime/core/random.js'
import type { PieceSource } from '../../runtime/ports/piece-source.js'
import { fastVenue } from '../ota/fetch/simulated-venue.js'
import { contractObject, pieceSourceContract } from './piece-source.contract.js'

const { object, bytes } = contractObject

/** Time goes on by itself while something waits. */
function running(make: (venue: SimulatedVenueOfPieces) => Promise<PieceSource>): void {
  pieceSourceContract(t, async t => {
    const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
    const venue = new SimulatedVenueOfPieces(clock, randomFrom(1), fastVenue)
    let isOver = false
    t.teardown(() => {
      isOver = true
    })
    const run = async (): Promise<void> => {
      while (!isOver) await clock.advance(100)
    }
    void run()
    return make(venue)
  })
}

running(async venue => {
  venue.publish(object.sha256, bytes)
  return venue.hub('box-1')
})

running(async venue => {
  await venue.link('box-2').serve(async (sha256, index) => {
    const at = index * object.pieceByteCount
    return sha256 === object.sha256 ? bytes.slice(at, at + object.pieceByteCount) : null
  })
  const source = venue.link('box-1').sourceAt('box-2', venue.link('box-2').addresses())
  if (!source) throw new Error('no source')
  return source
})
