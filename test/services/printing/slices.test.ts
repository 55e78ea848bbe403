/** Tickets are worked out beside everything else that the box does: nobody waits for a photo. */
import t from 'tap'
import { linuxPictures } from '../../../drivers/linux/pictures.js'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { after } from '../../../runtime/core/time.js'
import type { Cancel, Clock } from '../../../runtime/ports/clock.js'
import type { GrayImage } from '../../../runtime/ports/pictures.js'
import {
  type ResolvedTicket,
  resolveTicket,
  resolveTicketBySteps,
} from '../../../runtime/services/printing/resolve.js'
import { inSlices } from '../../../runtime/services/printing/slices.js'
import { documentOf, paper58, paper80, ramp } from '../../drivers/ticket-examples.js'

/** A millisecond goes by between any two looks at it; whoever wants a turn has it at once, and is counted. */
function laboriousClock(): { readonly clock: Clock; readonly slicesMs: number[] } {
  const simulated = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  let now = simulated.monotonicMs()
  let sinceMs = now
  const slicesMs: number[] = []
  const clock: Clock = {
    monotonicMs: () => {
      now = after(now, 1)
      return now
    },
    showTimeMs: () => simulated.showTimeMs(),
    wallTimeMs: () => simulated.wallTimeMs(),
    showToMonotonic: at => simulated.showToMonotonic(at),
    monotonicToShow: at => simulated.monotonicToShow(at),
    showErrorMs: () => simulated.showErrorMs(),
    runAt: (_, task): Cancel => {
      slicesMs.push(now - sinceMs)
      sinceMs = now
      queueMicrotask(task)
      return () => {}
    },
  }
  return { clock, slicesMs }
}

interface Made {
  readonly ticket: ResolvedTicket
  readonly slicesMs: readonly number[]
}

async function made(
  blocks: readonly object[],
  images: ReadonlyMap<string, GrayImage>,
  paper = paper80,
): Promise<Made> {
  const { clock, slicesMs } = laboriousClock()
  const source = { paper, images, pictures: linuxPictures }
  const ticket = await inSlices(clock, resolveTicketBySteps(documentOf(...blocks), source))
  return { ticket, slicesMs }
}

t.test('no picture is worked out in one go, and it is the same picture', async t => {
  const photo = (): ReadonlyMap<string, GrayImage> => new Map([['photo', ramp(350, 250)]])
  for (const dither of ['floyd-steinberg', 'atkinson', 'bayer', 'threshold'] as const) {
    const block = { kind: 'image', image: 'photo', dither }
    const { ticket, slicesMs } = await made([block], photo())
    // 250 rows of the photo, and twice the 411 of the paper: made smaller, and made black and white.
    t.ok(slicesMs.length > 200, `${dither}: ${slicesMs.length} slices`)
    t.ok(Math.max(...slicesMs) <= 5, `${dither}: ${Math.max(...slicesMs)} ms`)
    const atOnce = resolveTicket(documentOf(block), paper80, photo(), linuxPictures)
    t.equal(JSON.stringify(ticket), JSON.stringify(atOnce), dither)
  }
})

t.test('a picture that was drawn before costs nothing, on each width of its own', async t => {
  const images = new Map([['photo', ramp(300, 200)]])
  const block = { kind: 'image', image: 'photo' }
  await made([block], images)
  t.equal((await made([block], images)).slicesMs.length, 0)
  t.ok((await made([block], images, paper58)).slicesMs.length > 0)
})

t.test('a ticket of many codes gives way between them', async t => {
  const codes = Array.from({ length: 40 }, (_, at) => ({ kind: 'qr', content: `CLAIM-${at}` }))
  t.ok((await made(codes, new Map())).slicesMs.length > 8)
})

t.test('what is wrong with a block is said of that block, in slices too', async t => {
  const blocks = [{ kind: 'rule' }, { kind: 'image', image: 'needle' }]
  await t.rejects(made(blocks, new Map([['needle', ramp(1, 4096)]])), {
    code: 'ticket.invalid',
    message: /ticket\.blocks\[1\] \(image\): would be 2359296 dots high/,
  })
})
