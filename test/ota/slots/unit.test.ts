/** The unit that starts the launcher of a box with two slots: a box is to be up, so nothing may keep systemd from it. */
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const UNIT = 'docs/examples/two-slots/roadcase.service'
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

/** Keys with their section, as `Service.Restart`. */
function settingsIn(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let section = ''
  for (const line of text.split('\n')) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (key !== undefined) found.set(`${section}.${key}`, value ?? '')
  }
  return found
}

t.test('a launcher that ends is started again at once, however often', async t => {
  const settings = settingsIn(readFileSync(UNIT, 'utf8'))
  t.equal(settings.get('Service.Restart'), 'always')
  t.equal(settings.get('Service.RestartSec'), '200ms')
  // In the section of the service systemd does not know it: five ends within ten seconds, and the box stays dark.
  t.equal(settings.get('Unit.StartLimitIntervalSec'), '0')
})

const skip = hasSystemd ? false : 'no systemd-analyze'
t.test('systemd knows every word of it', { skip }, async t => {
  const folder = t.testdir()
  const program = join(folder, 'launch')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const unit = join(folder, 'roadcase.service')
  writeFileSync(unit, readFileSync(UNIT, 'utf8').replace('/var/lib/roadcase/launch', program))
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit])
  t.equal(`${stdout}${stderr}`, '')
})
