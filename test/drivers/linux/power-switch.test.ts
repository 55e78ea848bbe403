import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LinuxPowerSwitch } from '../../../drivers/linux/power-switch.js'

/** A program that notes how it was called, and ends as it is told. */
function program(t: Test, name: string, status: number): { path: string; calls(): string } {
  const folder = join(t.testdirName, name)
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(t.testdirName, { recursive: true, force: true }))
  const [path, notes] = [join(folder, name), join(folder, `${name}.notes`)]
  writeFileSync(path, `#!/bin/sh\necho "$@" >> ${notes}\necho "not you" >&2\nexit ${status}\n`)
  chmodSync(path, 0o755)
  writeFileSync(notes, '')
  return { path, calls: () => readFileSync(notes, 'utf8') }
}

t.test('the first command that the system takes is enough', async t => {
  const [first, second] = [program(t, 'first', 0), program(t, 'second', 0)]
  const power = new LinuxPowerSwitch([
    [first.path, 'poweroff'],
    [second.path, '-h', 'now'],
  ])
  await power.shutDown()
  t.equal(first.calls(), 'poweroff\n')
  t.equal(second.calls(), '')
})

t.test('where one is refused or missing, the next is tried', async t => {
  const [first, second] = [program(t, 'first', 1), program(t, 'second', 0)]
  await new LinuxPowerSwitch([
    ['/nowhere/at-all'],
    [first.path],
    [second.path, '-h', 'now'],
  ]).shutDown()
  t.equal(second.calls(), '-h now\n')
})

t.test('a system that does not go down says why', async t => {
  const first = program(t, 'first', 1)
  await t.rejects(new LinuxPowerSwitch([[first.path], ['/nowhere/at-all']]).shutDown(), {
    code: 'power.refused',
    message: /first: not you; .*at-all: .*ENOENT/,
  })
})
