/** Each case in a process of its own: what a thread has given itself it may not take back. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compileInto } from '../../fixtures/compiled.js'

interface Told {
  /** Nice values as the kernel tells them: of the main thread, and of those that Node had started before. */
  readonly main: number
  readonly others: readonly number[]
  readonly log: readonly { readonly level: string; readonly facts: { readonly nice: number } }[]
}

/** @param first what the process does before it prefers its main thread; @param last what after that */
function prefer(t: Test, first: string, last: string): Told {
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  compileInto(folder, ['drivers/linux/main-thread'])
  const script = `
    import { readdirSync, readFileSync } from 'node:fs'
    import { preferMainThread } from '${folder}/drivers/linux/main-thread.js'
    const log = []
    const note = level => (event, facts) => log.push({ level, event, facts })
    ${first}
    preferMainThread({ info: note('info'), warn: note('warn') })
    ${last}
    const niceOf = thread => {
      const stat = readFileSync('/proc/self/task/' + thread + '/stat', 'latin1')
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
    }
    const threads = readdirSync('/proc/self/task').map(Number)
    const others = threads.filter(thread => thread !== process.pid).map(niceOf)
    console.log(JSON.stringify({ main: niceOf(process.pid), others, log }))`
  const options = { encoding: 'utf8', timeout: 30_000 } as const
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], options))
}

const isRoot = process.getuid?.() === 0

t.test(
  'the main thread goes before those that Node has started, and says so',
  { skip: isRoot ? false : 'needs root' },
  async t => {
    const { main, others, log } = prefer(t, '', '')
    t.equal(main, -10)
    t.ok(others.length > 0)
    t.same(new Set(others), new Set([0]))
    t.match(log, [{ level: 'info', event: 'main.priority', facts: { nice: -10 } }])
  },
)

t.test('who may not prefer a thread goes on, and says why', async t => {
  const { main, log } = isRoot
    ? prefer(t, 'process.seteuid(65534)', 'process.seteuid(0)')
    : prefer(t, '', '')
  t.equal(main, 0)
  t.match(log, [
    { level: 'warn', event: 'main.priority', facts: { nice: 0, reason: /EACCES|EPERM/ } },
  ])
})
