/** What a test that was killed has left is removed by the next one, and nothing else is. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { compileInto } from '../fixtures/compiled.js'
import { environment, isRunning, makeNamespaces, whyNoNamespaces } from './namespaces.js'

const MODULE = 'test/peers/namespaces'
const whyNot = process.env['CI'] === undefined ? whyNoNamespaces() : null
const skip = whyNot ?? false

const all = (): string[] =>
  execFileSync('ip', ['netns', 'list'], { env: environment, encoding: 'utf8' })
    .split('\n')
    .map(line => line.split(' ')[0] ?? '')

const ofPid = ({ pid }: ChildProcess): string[] =>
  all().filter(name => name.startsWith(`roadcase-${pid}-`))

/** A test that has made two of them, with a program of its own in the first. */
async function startTest(script: string): Promise<{ child: ChildProcess; within: number }> {
  const args = ['--input-type=module', '-e', script]
  const child = spawn(process.execPath, args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [pid] = await once(child.stdout, 'data')
  return { child, within: Number(String(pid)) }
}

t.test('networks of a test that was killed are removed, and no others', { skip }, async t => {
  const folder = t.testdir()
  compileInto(folder, [MODULE])
  const script = `
    import { spawn } from 'node:child_process'
    import { makeNamespaces } from '${pathToFileURL(join(folder, `${MODULE}.js`))}'
    const child = spawn(...makeNamespaces(2).within(0, 'sleep', ['600']), { stdio: 'ignore' })
    process.once('SIGTERM', () => process.exit())
    child.once('spawn', () => process.stdout.write(String(child.pid)))`
  const killed = await startTest(script)
  killed.child.kill('SIGKILL')
  await once(killed.child, 'exit')
  t.equal(ofPid(killed.child).length, 3, 'they outlive it')
  t.ok(isRunning(killed.within))

  const running = await startTest(script)
  t.teardown(() => {
    process.kill(running.within)
    running.child.kill()
    return once(running.child, 'exit')
  })
  t.same(ofPid(killed.child), [], 'until the next one makes some')
  t.notOk(isRunning(killed.within), 'and what ran in them is ended')

  const foreign = `roadcase-${killed.child.pid}-other`
  execFileSync('ip', ['netns', 'add', foreign], { env: environment })
  t.teardown(() => execFileSync('ip', ['netns', 'del', foreign], { env: environment }))
  const own = makeNamespaces(1)
  t.equal(ofPid(running.child).length, 3, 'those of one that runs stay')
  t.ok(isRunning(running.within))
  t.ok(all().includes(foreign), 'and so do those of another name')
  own.remove()
})
