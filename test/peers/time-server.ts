/** A box's time server alone in a network namespace, as a process of its own: `test/fixtures/time-server.ts`. */
import type { Test } from 'tap'
import type { TimeServerSettings } from '../fixtures/time-server.js'
import type { Namespaces } from './namespaces.js'
import { type Follow, follow } from './ptp4l.js'

const usual: TimeServerSettings = {
  port: 123,
  aheadMs: 0,
  isSteady: false,
  stratum: 10,
  allow: ['10.77.0.0/24'],
  questionsPerSecond: 100,
}

/** @param script the fixture as Node runs it */
export async function serveTime(
  t: Test,
  script: string,
  namespaces: Pick<Namespaces, 'within'>,
  number: number,
  settings: Partial<TimeServerSettings> = {},
): Promise<Follow> {
  const args = [script, JSON.stringify({ ...usual, ...settings })]
  const server = follow(...namespaces.within(number, process.execPath, args))
  t.teardown(() => server.stop())
  await server.until(() => server.output().includes('port'), 'a server')
  return server
}
