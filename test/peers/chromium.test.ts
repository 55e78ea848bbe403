/** The page in the browser that people use it with. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { Bus } from '../../runtime/core/bus.js'
import { after, monotonicMs, showTimeMs, wallTimeMs } from '../../runtime/core/time.js'
import type { BoardLineState } from '../../runtime/gateways/page/api.js'
import { Mirror } from '../../runtime/gateways/page/mirror.js'
import { PageGateway } from '../../runtime/gateways/page/page-gateway.js'
import type { Clock, MonotonicMs, ShowTimeMs } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Messages } from '../../runtime/topics.js'
import { StandInShow, standInShow } from './stand-in-show.js'

const CHROMIUM = '/usr/bin/chromium'
const TOKEN = 'the-operator-token-of-this-test'
const WAIT_MS_MAX = 15_000
/** Set to a folder to keep pictures of the page. */
const PICTURES = process.env['ROADCASE_PICTURES'] ?? null

const assetsFolder = 'runtime/gateways/page/assets'

/** The browser's time is real, so the page's must be. */
const clock: Clock = {
  monotonicMs: () => monotonicMs(performance.now()),
  showTimeMs: () => showTimeMs(Date.now()),
  wallTimeMs: () => wallTimeMs(Date.now()),
  showToMonotonic: (at: ShowTimeMs) => monotonicMs(at - Date.now() + performance.now()),
  monotonicToShow: (at: MonotonicMs) => showTimeMs(at - performance.now() + Date.now()),
  showErrorMs: () => 0,
  runAt: (at, task) => {
    const timer = setTimeout(task, Math.max(0, at - performance.now()))
    return () => clearTimeout(timer)
  },
}
const log: Log = { info: () => {}, warn: () => {}, error: () => {} }

interface Box {
  readonly gateway: PageGateway
  readonly show: StandInShow
  readonly bus: Bus<Messages>
  readonly pressed: string[]
  stop(): Promise<void>
}

async function startBox(port: number): Promise<Box> {
  const bus = new Bus<Messages>()
  const mirror = new Mirror({ clock, bus })
  const show = new StandInShow(bus)
  const pressed: string[] = []
  const press = (input: string, holdMs: number): void => {
    pressed.push(`${input} ${holdMs}`)
    const event = { input, atShowMs: clock.showTimeMs(), source: 'kernel' } as const
    bus.publish('input/changed', { ...event, event: 'press' })
    clock.runAt(after(clock.monotonicMs(), holdMs), () =>
      bus.publish('input/changed', { ...event, event: 'release' }),
    )
  }
  const line = (name: string, headerPin: number, isIn: boolean): BoardLineState => ({
    name,
    headerPin,
    direction: isIn ? 'in' : 'out',
    isActive: name === 'sign' && show.fired.length > 0,
  })
  const lines = (): BoardLineState[] => [
    line('sign', 11, false),
    line('focus', 13, false),
    line('shutter', 15, false),
    line('go-button', 16, true),
    line('footswitch', 18, true),
  ]
  const gateway = new PageGateway(
    { clock, keys: new LinuxKeys(), log, bus, mirror },
    {
      config: { port, reach: 'loopback' },
      assetsFolder,
      operatorToken: TOKEN,
      hostNames: [],
      board: { name: 'simulated', title: 'Simulated board' },
      show: standInShow,
      simulated: { lines, press },
      logs: null,
    },
  )
  await mirror.start()
  await gateway.start()
  const cancel = show.start()
  const stop = async (): Promise<void> => {
    cancel()
    await gateway.stop()
    await mirror.stop()
  }
  return { gateway, show, bus, pressed, stop }
}

interface Visit {
  readonly box: Box
  readonly page: Page
  /** What the browser complained of. */
  readonly complaints: string[]
}

async function visit(
  t: Test,
  browser: Browser,
  options: { width: number; height: number; token: string | null },
): Promise<Visit> {
  const box = await startBox(0)
  const { width, height } = options
  const context = await browser.newContext({ viewport: { width, height }, hasTouch: width < 600 })
  context.setDefaultTimeout(WAIT_MS_MAX)
  t.teardown(async () => {
    await context.close()
    await box.stop()
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(`${box.gateway.url}/${options.token === null ? '' : `#token=${options.token}`}`)
  return { box, page, complaints }
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === null) return
  await mkdir(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
}

const says = (page: Page, selector: string, text: string): Promise<unknown> =>
  page.locator(selector, { hasText: text }).first().waitFor()

const desk = { width: 1440, height: 900, token: TOKEN }

if (!existsSync(CHROMIUM)) {
  if (process.env['CI']) t.fail(`${CHROMIUM} is missing`)
  else t.pass('skipped', { skip: `${CHROMIUM} is missing` })
} else {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  t.teardown(() => browser.close())

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
