/** The page's clock panel, in the browser that people use it with. */
import t from 'tap'
import { clockState, wallState } from '../services/clock-state.js'
import { timecodeState, venueState } from '../services/company-state.js'
import { otaState } from '../services/ota-state.js'
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

  t.test('a person sets the date of a box that does not know it, after a question', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    const asked: number[] = []
    box.bus.subscribe('clock/set-requested', ({ id, origin, wallMs }) => {
      asked.push(wallMs)
      const isAccepted = asked.length > 1
      const code = isAccepted ? null : 'command.refused'
      const message = isAccepted ? null : 'the date is not set while a show is armed'
      box.bus.publish('clock/set-answered', { id, origin, isAccepted, code, message })
    })
    t.ok(await page.isHidden('#date-card'), 'nothing is known yet')
    box.bus.publish('clock/wall', wallState)
    await says(page, '#date-text', 'from time servers')
    t.ok(await page.isHidden('#date-form'), 'nobody knows better')
    const floor = { ...wallState, source: 'floor', isUtcKnown: false, errorMs: null } as const
    box.bus.publish('clock/wall', floor)
    await says(page, '#date-card.is-bad #date-text', 'from nobody: it may be wrong')
    await page.fill('#date-field', '2026-11-22T19:30:05')
    await page.click('#date-set')
    await says(page, '#date-question', '2026')
    await picture(page, 'date')
    await page.click('#date-no')
    t.same(asked, [], 'whoever says no has asked nothing')
    await page.click('#date-set')
    await page.click('#date-yes')
    await says(page, '#date-answer.is-bad', 'Not set: the date is not set while a show is armed.')
    const local = await page.evaluate(() => new Date('2026-11-22T19:30:05').getTime())
    t.same(asked, [local], 'in the time zone of the browser')
    await page.fill('#date-field', '')
    await page.click('#date-set')
    await says(page, '#date-question', 'that of this device')
    const before = Date.now()
    await page.click('#date-yes')
    await says(page, '#date-answer', 'The date is set.')
    t.ok(
      (asked[1] ?? 0) >= before && (asked[1] ?? 0) <= Date.now(),
      'that of the moment of the yes',
    )
    box.bus.publish('clock/wall', {
      ...floor,
      source: 'technician',
      isUtcKnown: true,
      errorMs: 1_000,
    })
    await says(page, '#date-card:not(.is-bad) #date-bound', '±1.0 s')
    // The refusal is a 409, which the browser tells of too.
    t.same(
      complaints.filter(text => !text.includes('409')),
      [],
    )
  })

  t.test('timecode and the other boxes have panels where there are some', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    t.ok(await page.isHidden('#timecode-card'))
    t.ok(await page.isHidden('#venue-card'))
    box.bus.publish('timecode/state', timecodeState)
    await says(page, '#timecode-position', '10:00:30:12')
    await says(page, '#timecode-card.is-bad #timecode-text', 'is silent; the box goes on by itself')
    await says(page, '#timecode-outputs', 'sent: 01:00:00:00')
    box.bus.publish('venue/state', venueState)
    await says(page, '#venue-card.is-bad #venue-text', 'another venue key')
    await says(page, '#venue-members', 'box-1')
    await picture(page, 'company')
    t.ok(await page.isHidden('#release-card'))
    const candidate = { digest: 'cd'.repeat(32), version: '1.5.0' }
    const unmet = [{ step: 'switch' as const, name: 'not-armed', words: 'a show is armed' }]
    box.bus.publish('ota/state', { ...otaState, candidate, unmet, phase: 'waiting' })
    await says(page, '#release-version', '1.4.0')
    await says(page, '#release-text', '1.5.0 waits')
    await says(page, '#release-waits', 'a show is armed')
    t.same(complaints, [])
  })

  t.test('who may only look is not asked for a date', async t => {
    const { page, box } = await visit(t, browser, { ...desk, token: null })
    await says(page, '#role', 'View only')
    box.bus.publish('clock/wall', { ...wallState, source: 'floor', isUtcKnown: false })
    await says(page, '#date-text', 'from nobody')
    t.ok(await page.isHidden('#date-form'))
  })
}
