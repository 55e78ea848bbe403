/** The suite that aedes-persistence publishes for those who fulfil its interface, run against ours. */
import assert from 'node:assert'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { SimulatedStore } from '../../../drivers/simulated/store.js'
import type { StorePersistence } from '../../../runtime/gateways/broker/persistence.js'
import { persistenceOn } from './shelf.js'

interface SuiteContext {
  plan(count: number): void
  diagnostic(text: string): void
  readonly assert: Readonly<Record<string, (...values: unknown[]) => void>>
}

interface SuiteOptions {
  readonly test: (name: string, run: (context: SuiteContext) => Promise<void>) => void
  readonly persistence: () => StorePersistence
  readonly testAsync: true
}

const abstractSuite: (options: SuiteOptions) => void = createRequire(import.meta.url)(
  'aedes-persistence/abstract.js',
)

/** node:test's context as the suite uses it; each assertion that holds counts towards the plan. */
function contextOf(test: Test): SuiteContext {
  const counted =
    (check: CallableFunction) =>
    (...values: unknown[]): void => {
      Reflect.apply(check, assert, values)
      test.pass(String(values.at(-1)))
    }
  return {
    plan: count => test.plan(count),
    diagnostic: text => test.comment(text),
    assert: {
      ok: counted(assert.ok),
      equal: counted(assert.equal),
      notEqual: counted(assert.notEqual),
      deepEqual: counted(assert.deepEqual),
    },
  }
}

abstractSuite({
  test: (name, run) => void t.test(name, test => run(contextOf(test))),
  persistence: () => persistenceOn(new SimulatedStore()),
  testAsync: true,
})
