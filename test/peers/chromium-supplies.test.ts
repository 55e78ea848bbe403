/** The page's panels for power and printers, in the browser that people use it with. */
import t from 'tap'
import type { Messages } from '../../runtime/topics.js'
import { someJob } from '../gateways/page/spool-stand-in.js'
import { chromiumFor, desk, picture, says, startBox, TOKEN, visit } from './page-visit.js'

t.setTimeout(120_000)

const printer: Messages['printer/state'] = {
  printer: 'desk',
  isReady: true,
  hindrance: null,
  paper: 'enough',
  isCoverOpen: false,
  error: 'none',
  queued: 0,
  sending: 0,
  unknown: 0,
  sent: 0,
  confirmed: 41,
  failed: 0,
  expired: 0,
  usedMillimetres: 4100,
  ticketsLeft: 380,
  tookMsP50: 900,
  tookMsP95: 1400,
}

const battery: Messages['battery/state'] = {
  pack: 'belt',
  gauge: 'gauge',
  millivolts: 7412,
  milliamps: -820,
  celsius: 31,
  percent: 62.4,
  percentError: 3,
  method: 'coulomb',
  fullMilliampHours: 5200,
  remainingMilliampHours: 3245,
  isExternal: false,
  isCharging: false,
  swaps: 0,
  troubles: [],
}

const power: Messages['power/state'] = {
  stage: 'battery',
  isExternal: false,
  isCharging: false,
  percent: 62.4,
  percentError: 3,
  millivolts: 7412,
  milliwatts: -6078,
  secondsToEmpty: 14_000,
  secondsToEmptyMin: 12_000,
  emptyAtWallMs: null,
  showEndsAtWallMs: null,
  isEnough: true,
  forecast: 'empty at 23:40 at this load; show ends 23:00',
  lightCap: 1,
  arePrintsRefused: false,
  packs: 1,
}

const ticket = {
  ...someJob,
  id: 'claim-7',
  serial: 'B1-0007',
  state: 'unknown',
  message: 'the printer was switched off',
} as const

const browser = await chromiumFor(t)
if (browser !== null) {
  t.test('a box without battery and printer shows neither', async t => {
    const { page } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    t.ok(await page.isHidden('#power-card'))
    t.ok(await page.isHidden('#printers-card'))
  })

  t.test('what is left in the battery, and until when it lasts', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    box.bus.publish('battery/state', battery)
    box.bus.publish('power/state', power)
    await says(page, '#power-percent', '62 %')
    await says(page, '#power-text', 'on battery; empty at 23:40 at this load; show ends 23:00')
    await says(page, '#batteries', '62 % counted, 7.41 V, -0.82 A')
    t.ok(await page.locator('#power-card:not(.is-bad)').isVisible())
    box.bus.publish('battery/state', { ...battery, percent: null, troubles: ['silent'] })
    box.bus.publish('power/state', { ...power, stage: 'protect', percent: null })
    await says(page, '#power-card.is-bad #power-percent', '?')
    await says(page, '#power-text', 'nearly empty: no new tickets')
    await says(
      page,
      '#batteries [data-state=faulty]',
      'charge unknown, 7.41 V, -0.82 A, its gauge does not answer',
    )
    await picture(page, 'power')
    t.same(complaints, [])
  })

  t.test('what hinders a printer, in words that say what to do', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    box.bus.publish('printer/state', printer)
    await says(page, '#printers [data-state=ready]', 'ready')
    await says(page, '#printers', '0 waiting, 41 printed, paper for 380')
    for (const [changes, text] of [
      [{ isReady: false, hindrance: 'paper-end', paper: 'end', queued: 3 }, 'out of paper'],
      [{ isReady: false, hindrance: 'cover-open', isCoverOpen: true }, 'its cover is open'],
      [{ isReady: false, hindrance: 'absent' }, 'is it on, is its cable in?'],
      [{ isReady: false, hindrance: 'error', error: 'cutter' }, 'its cutter is stuck'],
    ] as const) {
      box.bus.publish('printer/state', { ...printer, ...changes })
      await says(page, '#printers [data-state=faulty]', text)
    }
    box.bus.publish('printer/state', { ...printer, paper: 'near-end', ticketsLeft: 12 })
    await says(page, '#printers [data-state=ready]', 'paper near its end')
    await says(page, '#printers', 'paper for 12')
  })

  t.test('a ticket that nobody knows of waits for a person, who decides once', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    box.spool.put(ticket)
    box.bus.publish('printer/state', { ...printer, unknown: 1 })
    await says(page, '#unsettled', 'B1-0007')
    await says(page, '#unsettled', 'redeemable on desk: look whether it is on paper')
    await says(page, '#unsettled', 'the printer was switched off')
    await picture(page, 'unsettled')
    await page.click('#unsettled .reprint')
    for (let tries = 0; box.spool.decided.length === 0 && tries < 100; tries++)
      await page.waitForTimeout(50)
    t.match(box.spool.decided, [{ job: 'claim-7', decision: 'reprint' }])
    t.equal(box.spool.decided.length, 1)
    box.bus.publish('printer/state', { ...printer, unknown: 0 })
    await page.locator('#unsettled-part').waitFor({ state: 'hidden' })
    t.same(complaints, [])
  })

  t.test('who is no operator sees the ticket and decides nothing', async t => {
    const { page, box } = await visit(t, browser, { ...desk, token: null })
    await says(page, '#link', 'Connected')
    box.spool.put(ticket)
    box.bus.publish('printer/state', { ...printer, unknown: 1 })
    await says(page, '#printers', '0 waiting')
    t.ok(
      await page
        .locator('#unsettled button:not([disabled])')
        .count()
        .then(count => count === 0),
    )
    await page.fill('#token', TOKEN)
    await page.click('#login button')
    await says(page, '#role', 'Operator')
    await says(page, '#unsettled', 'B1-0007')
    t.equal(await page.locator('#unsettled button:not([disabled])').count(), 3)
  })

  t.test('after a loss of the box the tickets are asked for again', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    const { port } = box.gateway
    await box.stop()
    await says(page, '#lost', 'The box is not heard')
    const next = await startBox(port)
    t.teardown(() => next.stop())
    next.spool.put(ticket)
    next.bus.publish('printer/state', { ...printer, unknown: 1 })
    await says(page, '#link', 'Connected')
    await says(page, '#unsettled', 'B1-0007')
  })
}
