/** The page on the network of a venue: in a flood of news, after a break, and where a GO comes late. */
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { type Cable, startCable } from './mosquitto-broker.js'
import { chromiumFor, desk, says, type Visit, visit } from './page-visit.js'

t.setTimeout(170_000)

const RECENT_MAX = 50
/** Longer than a command may be on its way, shorter than the page waits for its answer. */
const LATE_MS = 2_600

const rows = (page: Page): Promise<string[]> =>
  page.locator('#recent li span').evaluateAll(spans => spans.map(span => span.textContent ?? ''))

/** Between the browser and the box there is a cable. */
async function visitByCable(t: Test, browser: Browser): Promise<Visit & { readonly cable: Cable }> {
  const cables: Cable[] = []
  const via = async (port: number): Promise<number> => {
    const cable = await startCable(port)
    t.teardown(() => cable.stop())
    cables.push(cable)
    return cable.port
  }
  const visited = await visit(t, browser, { ...desk, via })
  const [cable] = cables
  if (!cable) throw new Error('there is no cable')
  return { ...visited, cable }
}

const browser = await chromiumFor(t)
if (browser !== null) {
  t.test(
    'news that are all alike are each drawn once, however often the page is drawn',
    async t => {
      const { page, box } = await visit(t, browser, desk)
      await says(page, '#role', 'Operator')
      const refused = { topic: 'a/b', client: 'gadget', code: 'publish.denied', message: 'no' }
      for (let n = 0; n < 2 * RECENT_MAX; n++) box.bus.publish('message/refused', refused)
      for (const percent of [10, 20, 30, 40, 50]) {
        box.bus.publish('levels/sampled', { levels: { front: percent / 100 }, colors: {} })
        await says(page, '.output[data-key=front] .percent', `${percent} %`)
      }
      t.same(await rows(page), Array(RECENT_MAX).fill('Message to a/b refused: no'))
    },
  )

  t.test('of items with the same key each has one element', async t => {
    const { page } = await visit(t, browser, desk)
    const script = `import('/dom.js').then(({ make, renderList }) => {
      const list = make('ol', '')
      const draw = words => renderList(list, words, {
        keyOf: word => word,
        create: word => make('li', '', [word]),
        update: () => {},
      })
      for (let times = 0; times < 10; times++) draw(['a', 'b', 'b', 'c', 'b'])
      const full = list.textContent
      draw(['b', 'a'])
      return [full, list.textContent]
    })`
    t.same(await page.evaluate(script), ['abbcb', 'ba'])
  })

  t.test('after a break the newest news stands on top, and each line says what it did', async t => {
    const { page, box } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    const press = (input: string): void =>
      box.bus.publish('input/changed', { input, event: 'press', atShowMs: 1, source: 'kernel' })
    for (const input of ['one', 'two', 'three']) press(input)
    await says(page, '#recent', 'three pressed')
    const before = await rows(page)
    t.same(before.slice(0, 3), ['three pressed', 'two pressed', 'one pressed'])
    await page.evaluate('window.dispatchEvent(new Event("online"))')
    press('four')
    await says(page, '#recent', 'four pressed')
    t.same(await rows(page), ['four pressed', ...before])
  })

  t.test('a GO that was too long on its way is not carried out, and the next one is', async t => {
    const { page, box, cable } = await visitByCable(t, browser)
    await says(page, '#role', 'Operator')
    await page.click('#arm')
    await says(page, '#armed.good', 'Armed')
    cable.stall()
    await page.click('#go')
    await page.waitForTimeout(LATE_MS)
    cable.loosen()
    await says(page, '#answer.is-bad', 'GO refused: it came')
    t.same(box.show.fired, [])
    await page.click('#go')
    await says(page, '#current-name', 'Doors')
    t.same(box.show.fired, ['1'])
  })

  t.test('the end of a blackout brings light, and is asked for once', async t => {
    const { page } = await visit(t, browser, desk)
    await says(page, '#role', 'Operator')
    await page.click('#blackout')
    await says(page, '#blackout', 'End blackout')
    let asked = 0
    await page.route('**/api/command', route => {
      asked++
      return route.abort()
    })
    await page.click('#blackout')
    await says(page, '#answer.is-bad', 'Blackout: the box did not answer.')
    t.equal(asked, 1)
  })

  t.test('a PANIC counts however long it was on its way', async t => {
    const { page, cable } = await visitByCable(t, browser)
    await says(page, '#role', 'Operator')
    cable.stall()
    await page.click('#panic')
    await page.waitForTimeout(LATE_MS)
    cable.loosen()
    await page.locator('#panic-banner').waitFor()
  })
}
