/**
 * A process that has run its tests to the end comes to rest by itself. One that something ends before, be it with a good
 * word (`process.exit(0)` in what is tested), has not run what would have come after, and says so with its exit code: tap
 * counts what it has heard, and of what never began it hears nothing.
 */
import { isMainThread } from 'node:worker_threads'

/** Its threads, and programs that it starts as it was started itself, end as they like. */
const isOfTests = isMainThread && /(\.test|\/suite)\.js$/.test(process.argv[1] ?? '')

let isAtRest = !isOfTests
process.once('beforeExit', () => {
  isAtRest = true
})
process.on('exit', code => {
  if (isAtRest || code !== 0) return
  process.stderr.write('something ended the process of these tests before they were all run\n')
  process.exitCode = 1
})
