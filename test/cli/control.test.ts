import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { controlFileInMemory, readControl } from '../../runtime/cli/control.js'

const control = { url: 'http://127.0.0.1:8080', token: 'x', mqttPort: null }

t.test('the memory is open to everybody: what is no file there is passed over', async t => {
  const state = t.testdir({ 'control.json': JSON.stringify(control) })
  const inMemory = controlFileInMemory(state)
  const clean = (): void => rmSync(inMemory, { recursive: true, force: true })
  clean()
  t.teardown(clean)
  t.same(await readControl(state), control)
  execFileSync('mkfifo', [inMemory])
  const read = readControl(state)
  // Somebody comes to the other end and goes again, or a test that fails would wait for ever.
  const late = setTimeout(() => closeSync(openSync(inMemory, constants.O_RDWR)), 2_000)
  t.same(await read.catch(String), control, 'a pipe')
  clearTimeout(late)
  rmSync(inMemory)
  mkdirSync(inMemory)
  t.same(await readControl(state), control, 'a folder')
  rmSync(inMemory, { recursive: true })
  writeFileSync(inMemory, JSON.stringify({ ...control, token: 'y' }))
  t.same(await readControl(state), { ...control, token: 'y' })
})
