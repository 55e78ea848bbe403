/**
 * Loaded before tap, which follows every promise from its making to its end, to tell to which test an error belongs that
 * nobody catches. A third of the processor time went there, most of it to the collector of garbage. Without it such an
 * error still fails the file, and the test that was on is named; started by itself a file has it all:
 * `node dist/test/X.test.js`.
 */
import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'

const idle: asyncHooks.AsyncHook = { enable: () => idle, disable: () => idle }
asyncHooks.createHook = () => idle
syncBuiltinESMExports()
