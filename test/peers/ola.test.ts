/** ArtTimeCode as the Open Lighting Architecture sends it, in a network of its own, is what we read. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { environment, hasProgram, makeNamespaces, whyNoNamespaces } from './namespaces.js'

const DEADLINE_MS = 60_000
const TRY_EVERY_MS = 250
const EAR = fileURLToPath(new URL('../fixtures/art-ear.js', import.meta.url))
/** Every plug-in of olad that would look for devices, or take a port. */
const OTHERS = [
  ...['dummy', 'e131', 'espnet', 'ftdidmx', 'gpio', 'karate', 'kinet', 'milinst', 'opendmx'],
  ...['openpixelcontrol', 'osc', 'pathport', 'renard', 'sandnet', 'shownet', 'spi', 'stageprofi'],
  ...['usbdmx', 'usbserial', 'uartdmx', 'usbpro', 'nanoleaf'],
]

const missing = whyNoNamespaces() ?? (hasProgram('olad') ? null : 'ola is not installed')
if (missing !== null && process.env['CI']) throw new Error(missing)

function settings(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ola-'))
  chmodSync(folder, 0o777)
  writeFileSync(join(folder, 'ola-artnet.conf'), 'enabled = true\nip = 10.77.0.1\n')
  for (const other of OTHERS) writeFileSync(join(folder, `ola-${other}.conf`), 'enabled = false\n')
  return folder
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const options = { skip: missing ?? false, timeout: 2 * DEADLINE_MS }

t.test('every rate that OLA sends is read as it was meant', options, async t => {
  const folder = settings()
  const network = makeNamespaces(1)
  const children: ChildProcess[] = []
  t.teardown(async () => {
    for (const child of children) await end(child)
    network.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  const run = (number: number, program: string, args: readonly string[]): ChildProcess => {
    const [command, words] = network.within(number, program, args)
    const child = spawn(command, words, { env: environment, stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    return child
  }
  const heard: string[] = []
  const ear = run(0, process.execPath, [EAR])
  ear.stdout?.setEncoding('utf8').on('data', (text: string) => {
    heard.push(...text.split('\n').filter(line => line !== ''))
  })
  // olad does not run as root.
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups']
  run(0, 'setpriv', [...user, 'olad', '-c', folder, '-l', '0', '--no-http'])
  const limit = Date.now() + DEADLINE_MS
  for (const [format, text, wanted] of [
    ['FILM', '10:11:12:23', '10:11:12:23 24'],
    ['EBU', '23:59:59:24', '23:59:59:24 25'],
    ['DF', '10:10:00:00', '10:10:00;00 29.97df'],
    ['SMPTE', '00:00:00:29', '00:00:00:29 30'],
  ] as const) {
    while (!heard.includes(wanted) && Date.now() < limit) {
      const [command, words] = network.within(0, 'ola_timecode', ['-f', format, text])
      try {
        execFileSync(command, words, { env: environment, stdio: 'ignore', timeout: DEADLINE_MS })
      } catch {
        // olad is not up yet.
      }
      await new Promise(resolve => setTimeout(resolve, TRY_EVERY_MS))
    }
    t.ok(heard.includes(wanted), `${format}: ${heard.join(', ')}`)
  }
})
