/**
 * The cue path on the lab's kernel, with lines that are real to everything above them: from an MQTT publish, and from a
 * button, to the edge as the kernel stamped it, by both of its interfaces. Runs itself again on the lab machine, where
 * `../lab/cue-path.ts` measures; test/lab/README.md says what that machine is not.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { loadavg, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '../lab/bare-listener.js'
import { measureCuePath, type Row } from '../lab/cue-path.js'
import { hilRun, whyNoLab } from '../lab/ready.js'
import { printTable } from './table.js'

const RUN_SECONDS_MAX = 900
const DISK_BYTES = 128 * 1024 * 1024

const [task, port = '', gpio = ''] = process.argv.slice(2)
if (task === 'listen') await listen(port, gpio)
else if (process.env['LAB_GPIO_SIM'] === undefined) onTheLabMachine()
else await here()

/** The disk is a file on this machine's disk, and the kernel's flushes end there. */
function onTheLabMachine(): void {
  const whyNot = whyNoLab()
  if (whyNot !== null) {
    process.stdout.write(`no lab: ${whyNot}\n`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'roadcase-bench-'))
  try {
    const disk = join(folder, 'disk.img')
    writeFileSync(disk, '')
    truncateSync(disk, DISK_BYTES)
    const options = ['-t', String(RUN_SECONDS_MAX), '-a', `ubd0=${disk}`]
    const program = [process.execPath, process.argv[1] ?? '']
    const { status } = spawnSync(hilRun, [...options, ...program], { stdio: 'inherit' })
    process.stdout.write(`load of the machine around it, then: ${loadavg()[0]?.toFixed(1)}\n`)
    process.exitCode = status ?? 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function here(): Promise<void> {
  const rows: Row[] = []
  await measureCuePath(row => rows.push(row))
  process.stdout.write(`inside: Linux ${release()}, one processor, a tick of 1 ms\n\n`)
  printTable(rows)
}
