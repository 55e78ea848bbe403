/** The page's clock panel, in the browser that people use it with. */
import t from 'tap'
import { clockState } from '../services/clock-state.js'
import { chromiumFor, desk, picture, says, visit } from './page-visit.js'

t.setTimeout(120_000)

const browser = await chromiumFor(t)
if (browser !== null) {
  t.test('a box that shares its time with nobody has no clock to show', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    box.bus.publish('clock/state', { ...clockState, interface: null, state: 'alone' })
    t.ok(await page.isHidden('#clock-card'))
  })

  t.test('who leads, how far off, and the last minutes as a line that goes on', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    box.bus.publish('clock/state', clockState)
    await says(page, '#clock-text', 'follows 020000fffe000001; frozen for the show')
    await says(page, '#clock-bound', '±90.0 µs')
    await says(page, '#clock-measured', 'offset -4.3 µs, way 55.0 µs, rate 12.50 ppm')
    await page.reload()
    await says(page, '#clock-scale', '5 min, at most 40.0 µs')
    const line = (): Promise<string | null> => page.getAttribute('#clock-line', 'd')
    const before = (await line()) ?? ''
    t.equal(before.match(/[ML]/g)?.length, 240, 'a gap for the minute before it followed')
    box.bus.publish('clock/state', { ...clockState, offsetMicroseconds: 400 })
    await says(page, '#clock-scale', 'at most 400.0 µs')
    t.equal((await line())?.match(/[ML]/g)?.length, 241)
    await picture(page, 'clock')
    box.bus.publish('clock/state', { ...clockState, state: 'holdover', leader: null })
    await says(page, '#clock-card.is-bad #clock-text', 'the leader is gone')
    t.same(complaints, [])
  })
}
