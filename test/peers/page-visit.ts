/** A page of a box with a stand-in show, and the browser that people use it with. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { Bus } from '../../runtime/core/bus.js'
import { after, monotonicMs, showTimeMs, wallTimeMs } from '../../runtime/core/time.js'
import type { BoardLineState } from '../../runtime/gateways/page/api.js'
import { Mirror } from '../../runtime/gateways/page/mirror.js'
import { PageGateway } from '../../runtime/gateways/page/page-gateway.js'
import type { Clock, MonotonicMs, ShowTimeMs } from '../../runtime/ports/clock.js'
import type { Log } from '../../runtime/ports/log.js'
import type { Messages } from '../../runtime/topics.js'
import { type SpoolStandIn, spoolStandIn } from '../gateways/page/spool-stand-in.js'
import { StandInShow, standInShow } from './stand-in-show.js'

const CHROMIUM = '/usr/bin/chromium'
export const TOKEN = 'the-operator-token-of-this-test'
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

export interface Box {
  readonly gateway: PageGateway
  readonly show: StandInShow
  readonly spool: SpoolStandIn
  readonly bus: Bus<Messages>
  readonly pressed: string[]
  stop(): Promise<void>
}

export async function startBox(port: number): Promise<Box> {
  const bus = new Bus<Messages>()
  const mirror = new Mirror({ clock, bus })
  const show = new StandInShow(bus)
  const spool = spoolStandIn(bus)
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
      jobs: spool,
      history: null,
      clock: { history: () => clockPoints },
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
  return { gateway, show, spool, bus, pressed, stop }
}

/** What the clock remembers when a page asks. */
export const clockPoints = Array.from({ length: 300 }, (_, second) => ({
  wallMs: 1_790_000_000_000 + second * 1_000,
  offsetMicroseconds: second < 60 ? null : 40 * Math.sin(second / 9),
  pathDelayMicroseconds: second < 60 ? null : 55,
  ratePpm: 12.5,
  errorMs: 0.09,
}))

export interface Visit {
  readonly box: Box
  readonly page: Page
  /** What the browser complained of. */
  readonly complaints: string[]
}

export interface VisitOptions {
  readonly width: number
  readonly height: number
  readonly token: string | null
  /** The port at which the page of a box is reached; its own when left out. */
  readonly via?: (port: number) => Promise<number>
}

export async function visit(t: Test, browser: Browser, options: VisitOptions): Promise<Visit> {
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
  const port = (await options.via?.(box.gateway.port)) ?? box.gateway.port
  const token = options.token === null ? '' : `#token=${options.token}`
  await page.goto(`http://127.0.0.1:${port}/${token}`)
  return { box, page, complaints }
}

export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === null) return
  await mkdir(PICTURES, { recursive: true })
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true })
}

export const says = (page: Page, selector: string, text: string): Promise<unknown> =>
  page.locator(selector, { hasText: text }).first().waitFor()

export const desk = { width: 1440, height: 900, token: TOKEN }

/** The browser of one file of tests; null where there is none, which only CI takes amiss. */
export async function chromiumFor(
  t: Pick<Test, 'fail' | 'pass' | 'teardown'>,
): Promise<Browser | null> {
  if (!existsSync(CHROMIUM)) {
    if (process.env['CI']) t.fail('chromium is missing')
    else t.pass('skipped', { skip: 'chromium is missing' })
    return null
  }
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
  return browser
}
