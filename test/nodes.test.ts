/**
 * What depends on the version of Node, under the other versions that a box may carry: the native packages, the threads
 * that share memory, the disk, sockets and TLS, and a whole box on a real kernel. They share a process for each version,
 * for a start costs more than most of them. Everything else: `test/nodes.sh`.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { BackendName } from '../drivers/linux/gpio.js'
import { BUILD_MS_MAX, hilRun, whyNoLab, whyNotBuilt } from './lab/ready.js'

const PREPARE_MS_MAX = 15 * 60_000
const FILES_SECONDS_MAX = 600
const LAB_SECONDS_MAX = 120

const files = [
  'test/drivers/linux/native.test.ts',
  'test/drivers/linux/libc.test.ts',
  'test/drivers/linux/gpio-chardev.test.ts',
  'test/drivers/linux/gpio-sysfs.test.ts',
  'test/drivers/linux/edges.test.ts',
  'test/drivers/linux/host.test.ts',
  'test/drivers/linux/i2c.test.ts',
  'test/ports/store.sqlite.test.ts',
  'test/gateways/broker/embedded-broker.test.ts',
  'test/gateways/broker/websocket.test.ts',
  'test/gateways/broker/listeners.test.ts',
]

const NODE_MS_MAX = (FILES_SECONDS_MAX + LAB_SECONDS_MAX) * 1000

interface OtherNode {
  readonly version: string
  readonly program: string
  /** The compiled tree, with the native packages of that version. */
  readonly folder: string
}

/** Every other version, ready to run; or why not. */
function prepare(): readonly OtherNode[] | string {
  const whyNot = whyNotBuilt()
  if (whyNot !== null) return whyNot
  const options = { encoding: 'utf8', timeout: PREPARE_MS_MAX } as const
  const { status, error, stdout, stderr } = spawnSync(
    'bash',
    ['test/nodes.sh', '--prepare'],
    options,
  )
  if (status !== 0) return `${error?.message ?? `status ${status}`}: ${stderr.trim()}`
  return stdout
    .trim()
    .split('\n')
    .map(line => {
      const [version = '', program = '', folder = ''] = line.split(' ')
      return { version, program, folder }
    })
}

t.setTimeout(PREPARE_MS_MAX + 2 * BUILD_MS_MAX)
const isGate = process.env['CI'] !== undefined
const nodes = prepare()
const whyNoKernel = whyNoLab()
if (typeof nodes === 'string' && !isGate) t.plan(0, `no other Node: ${nodes}`)
else {
  t.equal(typeof nodes === 'string' ? nodes : null, null, 'the other versions of Node are here')
  if (typeof nodes !== 'string')
    for (const [at, node] of nodes.entries()) {
      const proof = (t: Test): Promise<void> => prove(t, node, at % 2 === 0 ? 'sysfs' : 'chardev')
      await t.test(`Node ${node.version}`, { timeout: NODE_MS_MAX }, proof)
    }
}

/** @param gpio one of the two ways to the lines for each version: they take turns, for the sake of time */
async function prove(t: Test, { program, folder }: OtherNode, gpio: BackendName): Promise<void> {
  const together = {
    ...process.env,
    TAP_TIMEOUT: String(FILES_SECONDS_MAX),
    ROADCASE_TOGETHER: files.join(' '),
  }
  const limits = { env: together, timeout: FILES_SECONDS_MAX * 1000 }
  await t.spawn(program, [`${folder}/test/suite.js`], limits, 'native packages, threads, disk')
  const title = `a show moves real lines by ${gpio}`
  if (whyNoKernel !== null && !isGate) {
    await t.test(title, async t => t.plan(0, `no lab: ${whyNoKernel}`))
    return
  }
  const show = new URL('./lab/show-program.js', pathToFileURL(`${folder}/test/`))
  const args = ['-t', String(LAB_SECONDS_MAX), program, fileURLToPath(show), gpio]
  const env = { ...process.env, TAP_TIMEOUT: String(LAB_SECONDS_MAX) }
  await t.spawn(hilRun, args, { env, timeout: LAB_SECONDS_MAX * 1000 }, title)
}
