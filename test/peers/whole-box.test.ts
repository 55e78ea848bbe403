/** The whole box as a newcomer meets it: real Chromium and real MQTT clients against the real thing, on wires of memory. */
import { execFile } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import { LinuxLog } from '../../drivers/linux/log.js'
import { type RunningBox, runBox } from '../../runtime/run.js'
import { fillBoxFolder } from './box-folder.js'
import { subscribe } from './mosquitto-broker.js'
import { skipWithout } from './peer.js'

const WAIT_MS_MAX = 20_000
const run = promisify(execFile)

/** Removed after the box has ended: teardowns run backwards. */
function makeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Written where nobody looks: a box at work has much to say. */
function quietLog(t: Test): LinuxLog {
  const fd = openSync('/dev/null', 'w')
  const log = new LinuxLog(new LinuxClock(ownAnchor()), { process: 'test', fd })
  t.teardown(() => {
    log.flush()
    closeSync(fd)
  })
  return log
}

async function startBox(t: Test): Promise<RunningBox> {
  const { configFile, stateFolder } = fillBoxFolder(makeFolder(t))
  const log = quietLog(t)
  const box = await runBox({ configFile, stateFolder, boardName: 'simulated', log })
  t.teardown(() => box.stop())
  return box
}

const isLit = (box: RunningBox, line: string): boolean =>
  box.simulated?.wire(line).isActive ?? false

async function eventually(isTrue: () => boolean): Promise<boolean> {
  const limitMs = performance.now() + WAIT_MS_MAX
  while (!isTrue() && performance.now() < limitMs)
    await new Promise(resolve => setTimeout(resolve, 10))
  return isTrue()
}

t.test('GO pressed in Chromium switches the lamps', skipWithout('chromium'), async t => {
  const box = await startBox(t)
  const browser = await openBrowser(t)
  const page = await browser.newPage()
  await page.goto(`${box.url}/#token=${box.operator.token}`)
  const go = page.getByRole('button', { name: /^GO\b/ })
  await go.waitFor()
  t.notOk(isLit(box, 'light-1'), 'dark before')
  for (let press = 0; press < 2; press++) {
    await go.click()
    // A second press within 300 ms would be taken for a slip.
    await page.waitForTimeout(500)
  }
  t.ok(await eventually(() => isLit(box, 'light-1')), 'the follow of cue 2 reaches the reveal')
  await page.keyboard.press('Escape')
  t.ok(await eventually(() => !isLit(box, 'light-1')), 'Escape is panic')
})

t.test('mosquitto_pub says GO and the lamps follow', skipWithout('mosquitto_pub'), async t => {
  const box = await startBox(t)
  const { username, password } = box.operator
  const login = ['-p', String(box.mqttPort), '-u', username, '-P', password]
  const cue = 'vb/first-night/box-1/cue'
  await run('mosquitto_pub', [...login, '-q', '1', '-t', cue, '-m', '{"action":"fire","cue":"4"}'])
  t.ok(await eventually(() => isLit(box, 'light-1') && isLit(box, 'light-2')))
  const { stdout } = await run('mosquitto_sub', [
    ...login,
    ...['-t', 'vb/first-night/box-1/show/state', '-C', '1', '-W', '10'],
  ])
  t.match(JSON.parse(stdout), { name: 'first-night', current: '4' })
})

t.test(
  'a mistyped name is answered over MQTT with the right one',
  skipWithout('mosquitto_pub'),
  async t => {
    const box = await startBox(t)
    const { username, password } = box.operator
    const login = ['-p', String(box.mqttPort), '-u', username, '-P', password]
    const tree = 'vb/first-night/box-1'
    const watcher = subscribe([...login, '-t', `${tree}/response/+`, '-t', `${tree}/availability`])
    t.teardown(() => watcher.stop())
    await watcher.until(lines => lines.some(line => line.includes('ready')), 'the subscription')
    for (const [command, answer] of [
      [{ action: 'fire', cue: 'nope' }, /nope is not a cue \(there is 1, /],
      [{ action: 'scene', scene: 'hosue' }, /hosue is not a scene \(did you mean \\"house\\"\?\)/],
    ] as const) {
      const message = JSON.stringify({ id: command.action, ...command })
      await run('mosquitto_pub', [...login, '-q', '1', '-t', `${tree}/cue`, '-m', message])
      await watcher.until(lines => lines.some(line => line.includes('is not a')), 'the answer')
      t.match(watcher.lines.splice(0).join('\n'), answer)
    }
  },
)

t.test('a box that is started again goes on where it was', async t => {
  const folder = fillBoxFolder(makeFolder(t))
  const log = quietLog(t)
  const options = { ...folder, boardName: 'simulated', log }
  const first = await runBox(options)
  await post(first, { id: 'fire-1', action: 'fire', cue: '4' })
  t.ok(await eventually(() => isLit(first, 'light-1')))
  await first.stop()
  t.notOk(isLit(first, 'light-1'), 'safe after the end')
  const second = await runBox(options)
  t.teardown(() => second.stop())
  t.ok(await eventually(() => isLit(second, 'light-1')))
})

async function post(box: RunningBox, command: object): Promise<void> {
  const answer = await fetch(`${box.url}/api/command`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${box.operator.token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(command),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}

async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  t.teardown(() => browser.close())
  return browser
}
