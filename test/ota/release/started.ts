/** A box that is started from a release tree, as whoever starts releases does it: by launch.json, from elsewhere. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { fillBoxFolder } from '../../peers/box-folder.js'

const READY_MS_MAX = 60_000

export interface StartedBox {
  readonly url: string
  /** @returns its exit code */
  stop(): Promise<number | null>
}

/** @param before what a program of another machine is run by */
export async function startFrom(
  t: Test,
  tree: string,
  folder: string,
  before: readonly string[],
): Promise<StartedBox> {
  const { node, box } = JSON.parse(readFileSync(join(tree, 'launch.json'), 'utf8'))
  mkdirSync(folder, { recursive: true })
  const { configFile, stateFolder } = fillBoxFolder(folder)
  const options = ['--config', configFile, '--board', 'simulated', '--state', stateFolder]
  const [program = '', ...words] = [
    ...before,
    node === null ? process.execPath : join(tree, node),
    ...box.nodeArguments,
    join(tree, box.script),
    ...options,
  ]
  const env = { PATH: process.env['PATH'], HOME: folder }
  const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const url = await readyUrl(child)
  const stop = (): Promise<number | null> => {
    child.kill('SIGTERM')
    return ended
  }
  return { url, stop }
}

function readyUrl(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  let last = ''
  stderr?.on('data', text => {
    last = `${last}${text}`.slice(-2000)
  })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready: ${last}`)), READY_MS_MAX)
    child.on('error', reject)
    child.on('close', code => {
      clearTimeout(late)
      reject(new Error(`ended with ${code}: ${last}`))
    })
    if (stdout !== null)
      createInterface(stdout).on('line', line => {
        const { event, facts } = JSON.parse(line)
        if (event !== 'box.ready') return
        clearTimeout(late)
        resolve(facts.url)
      })
  })
}
