/** The page in the browser that people use it with. */
import type { Page, Route } from 'playwright-core'
import t from 'tap'
import type { ShowCommand } from '../../runtime/topics.js'
import { chromiumFor, desk, picture, says, startBox, TOKEN, visit } from './page-visit.js'

t.setTimeout(170_000)

/** As the page has it between two tries. */
const RETRY_MS = 400

interface Sent {
  readonly id: string
  readonly action: string
}

/** Stands between the page and the box: sees what is asked, and lets it through or not. */
async function spoil(
  page: Page,
  decide: (route: Route, count: number) => Promise<void>,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  await page.route('**/api/command', route => {
    sent.push(route.request().postDataJSON())
    return decide(route, sent.length)
  })
  return sent
}

const browser = await chromiumFor(t)
if (browser !== null) {
  t.test('GO lights the lamps, shows the cue and how late it was', async t => {
    const { page, box, complaints } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    await page.click('#arm')
    await says(page, '#armed', 'Armed')
    t.equal(await page.getAttribute('.output[data-key=front]', 'data-level'), '0.000')
    await page.click('#go')
    await says(page, '#current-name', 'Doors')
    await says(page, '#next-name', 'Reveal')
    await says(page, '.output[data-key=front] .percent', '15 %')
    await says(page, '#late-p99', '1.24')
    await page.waitForTimeout(350)
    await page.click('#go')
    await says(page, '.output[data-key=front] .percent', '100 %')
    const wash = await page.locator('.output[data-key=wash]').getAttribute('style')
    t.match(wash, /--color: 255 121 0/, 'the wash is orange')
    await picture(page, 'desk')
    t.same(box.show.fired, ['1', '2'])
    t.same(complaints, [])
  })

  t.test('the token leaves the address, and logs in for good', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    t.notMatch(page.url(), 'token')
    await page.goto(box.gateway.url)
    await says(page, '#role', 'Operator')
  })

  t.test('without the token one sees everything and presses nothing', async t => {
    const { page, box } = await visit(t, browser, { ...desk, token: null })
    await says(page, '#link', 'Connected')
    await says(page, '.output[data-key=front]', 'front')
    t.ok(await page.isDisabled('#go'))
    t.ok(await page.isDisabled('#panic'))
    await page.keyboard.press('Space')
    await picture(page, 'viewer')
    await page.fill('#token', 'a-wrong-token-that-is-long')
    await page.click('#login button')
    await says(page, '#login-problem', 'not the operator token')
    await page.fill('#token', TOKEN)
    await page.click('#login button')
    await says(page, '#role', 'Operator')
    t.same(box.show.fired, [])
  })

  t.test('a refusal is shown with its reason', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    await page.click('#go')
    await says(page, '#answer.is-bad', 'GO refused: the show is not armed')
    await says(page, '#recent .is-bad', 'not armed')
    await picture(page, 'refused')
    t.same(box.show.fired, [])
  })

  t.test(
    'Space is GO, a bouncing finger is one GO, and Escape is PANIC until released',
    async t => {
      const { page, box } = await visit(t, browser, desk)
      await says(page, '#role', 'Operator')
      await page.click('#arm')
      await says(page, '#armed.good', 'Armed')
      // All within one turn: however slow this machine is, the finger bounces fast.
      const bounce = "document.dispatchEvent(new KeyboardEvent('keydown', { key: ' ' }))"
      await page.evaluate([bounce, bounce, bounce].join(';'))
      await says(page, '#current-name', 'Doors')
      await page.waitForTimeout(350)
      await page.keyboard.press('Space')
      await says(page, '#current-name', 'Reveal')
      t.same(box.show.fired, ['1', '2'])

      await page.keyboard.press('Escape')
      await page.locator('#panic-banner').waitFor()
      await says(page, '.output[data-key=front] .percent', '0 %')
      await picture(page, 'panic')
      await page.click('#release')
      await page.locator('#panic-banner').waitFor({ state: 'hidden' })
      await says(page, '.output[data-key=front] .percent', '100 %')
    },
  )

  t.test('a PANIC is sent again until its answer is heard, and the box acts once', async t => {
    const { page, box } = await visit(t, browser, desk)
    const heard: ShowCommand[] = []
    box.bus.subscribe('command/received', asked => void heard.push(asked))
    const sent = await spoil(page, async (route, count) => {
      // Twice it is lost on the way there, then on the way back.
      if (count < 3) await route.abort()
      else if (count === 3) await route.fetch().then(() => route.abort())
      else await route.continue()
    })
    await says(page, '#role', 'Operator')
    await page.keyboard.press('Escape')
    await page.locator('#panic-banner').waitFor()
    for (let tries = 0; sent.length < 4 && tries < 40; tries++) await page.waitForTimeout(RETRY_MS)
    await page.waitForTimeout(2 * RETRY_MS)
    t.same(
      sent.map(({ action }) => action),
      ['panic', 'panic', 'panic', 'panic'],
      'and no more once it is answered',
    )
    t.equal(new Set(sent.map(({ id }) => id)).size, 1, 'each with the same id')
    t.match(heard, [{ action: 'panic', id: sent[0]?.id }])
    t.equal(heard.length, 1)
    t.equal(await page.textContent('#answer'), '')
  })

  t.test('without an answer PANIC is sent five times, blackout three, all else once', async t => {
    const { page, box } = await visit(t, browser, desk)
    const sent = await spoil(page, route => route.abort())
    await says(page, '#role', 'Operator')
    for (const [press, count, text] of [
      ['#go', 1, 'GO: the box did not answer. Look at the stage.'],
      ['#back', 1, 'BACK: the box did not answer. Look at the stage.'],
      ['#cues li[data-key="6"] button', 1, 'Next cue: the box did not answer.'],
      ['#arm', 1, 'Arm: the box did not answer.'],
      ['#blackout', 3, 'Blackout: the box did not answer. Look at the stage.'],
      ['#panic', 5, 'PANIC: the box did not answer. Look at the stage.'],
    ] as const) {
      const before = sent.length
      await page.click(press)
      await says(page, '#answer.is-bad', text)
      await page.waitForTimeout(2 * RETRY_MS)
      t.equal(sent.length - before, count, text)
      t.equal(new Set(sent.slice(before).map(({ id }) => id)).size, 1, 'by one id')
    }
    t.same(box.show.fired, [])
  })

  t.test('MQTT stands among the devices: reached or not, and why', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    const state = {
      ...{ kind: 'external' as const, url: 'mqtts://broker.local:8883', clients: null },
      ...{ sinceWallMs: Date.now(), waiting: 0, dropped: 0, refused: 0, trouble: null },
    }
    box.bus.publish('broker/state', { ...state, isConnected: true })
    await says(page, '#broker [data-state=ready]', 'mqtts://broker.local:8883, connected since')
    const trouble = { wallMs: Date.now(), message: 'box.broker.url: nobody listens there' }
    box.bus.publish('broker/state', { ...state, isConnected: false, trouble, waiting: 12 })
    await says(page, '#broker [data-state=faulty] p', 'box.broker.url: nobody listens there')
    await says(page, '#broker [data-state=faulty] small', '12 waiting')
    await picture(page, 'broker')
    await page.reload()
    await says(page, '#broker [data-state=faulty]', 'not connected since')
  })

  t.test('a cue in the list is made the next one', async t => {
    const { page } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    await page.click('#cues li[data-key="6"] button')
    await says(page, '#next-name', 'Drop')
    t.equal(await page.textContent('#cues .is-next b'), '6')
  })

  t.test('the simulated buttons can be pressed, and are seen down', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    await page.click('.input[data-key=go-button] .hold')
    await page.locator('.input.is-active[data-key=go-button]').waitFor()
    await page.click('.input[data-key=footswitch] .press')
    await says(page, '#recent', 'footswitch let go')
    t.same(box.pressed, ['go-button 2000', 'footswitch 150'])
  })

  t.test('the loss of the box is plain to see, and the page finds it again', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    const { port } = box.gateway
    await box.stop()
    await says(page, '#lost', 'The box is not heard')
    t.ok(await page.isDisabled('#go'))
    await picture(page, 'lost')
    const next = await startBox(port)
    t.teardown(() => next.stop())
    await says(page, '#link', 'Connected')
    await page.locator('#lost').waitFor({ state: 'hidden' })
    await says(page, '#role', 'Operator')
    await page.click('#arm')
    await says(page, '#armed.good', 'Armed')
    await page.click('#go')
    await says(page, '#current-name', 'Doors')
    t.same(next.show.fired, ['1'])
  })

  t.test('on a phone nothing is cut off and GO stays under the thumb', async t => {
    const { page } = await visit(t, browser, { width: 390, height: 844, token: TOKEN })
    await says(page, '#role', 'Operator')
    await page.tap('#go')
    const answer = page.locator('#answer.is-bad', { hasText: 'not armed' })
    await answer.waitFor()
    const said = await answer.boundingBox()
    t.ok(said && said.y > 500, 'the refusal is read beside GO')
    await picture(page, 'phone-refused')
    await page.waitForTimeout(350)
    await page.tap('#arm')
    await says(page, '#armed.good', 'Armed')
    await page.tap('#go')
    await says(page, '#current-name', 'Doors')
    await picture(page, 'phone')
    const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
    t.same(widths, [390, 390])
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)')
    const go = await page.locator('#go').boundingBox()
    t.ok(go && go.y > 500 && go.y + go.height <= 844 && go.width > 180, 'GO is in sight and large')
  })
}
