/**
 * The one way to start a worker thread. Its file is named by the `.js` that the compiler writes, beside this file. That
 * also holds for a test, which runs the TypeScript as it is: a worker inherits `process.execArgv`, and with it the
 * `--import` of the test runner, whose resolver finds `x.ts` where `x.js` was asked for. So nobody needs to know which
 * of the two is running, and no build has to come before a test.
 */
import { Worker } from 'node:worker_threads'

/**
 * @param name the worker's file in this folder without its ending, e.g. `sqlite-worker`
 * @param workerData handed over as `workerData` of `node:worker_threads`; a SharedArrayBuffer in it is shared, not copied
 */
export function startWorker(name: `${string}-worker`, workerData: unknown): Worker {
  return new Worker(new URL(`./${name}.js`, import.meta.url), { name, workerData })
}
