/**
 * Goal: what PTP sends arrives, with the kernel's moments, and an interface that goes is missed and found again.
 * Method: two network namespaces of this test's own, a cable between them (veth), and a program at each end.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { LinuxClock, ownAnchor } from '../../../drivers/linux/clock.js'
import { openUdpSockets } from '../../../drivers/linux/libc-sockets.js'
import { LinuxPtpLink } from '../../../drivers/linux/ptp-link.js'
import { compileInto } from '../../fixtures/compiled.js'
import { skipWithout } from '../../peers/peer.js'

/** Nothing waits so long when all is well; the machine may have other things to do. */
const LIMIT_MS = 20_000
/** The kernel's stamps are of another clock: a machine that stands still while both are read pairs them so badly. */
const PAIRED_MS = 1
const TRIES_MAX = 10

t.setTimeout(170_000)
const clock = new LinuxClock(ownAnchor())
const isRoot = process.getuid?.() === 0
const isGate = process.env['CI'] !== undefined

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

t.test('an interface that is not there is absent, and may be tried again', async t => {
  const link = new LinuxPtpLink(clock, 'no-such-0')
  await t.rejects(link.open(), { code: 'device.absent' })
  const before = openDescriptors()
  await t.rejects(link.open(), { code: 'device.absent' })
  t.equal(openDescriptors(), before)
  await t.rejects(link.send(Uint8Array.of(1), 'event', null), { code: 'device.absent' })
  await link.close()
})

const firstFreePort = Number(
  readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1').trim(),
)
const skipDenied = firstFreePort <= 319 && 'anybody may take port 319 on this machine'

t.test(
  'without the right to its ports the link is denied, and leaves nothing open',
  { skip: skipDenied },
  async t => {
    await openUdpSockets()
    const link = new LinuxPtpLink(clock, 'lo')
    if (isRoot) process.seteuid?.(65_534)
    try {
      const before = openDescriptors()
      await t.rejects(link.open(), { code: 'device.denied' })
      t.equal(openDescriptors(), before)
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  },
)

interface Said {
  readonly said: 'open' | 'closed' | 'sent' | 'received' | 'lost' | 'failed'
  readonly text?: string
  readonly port?: string
  readonly from?: string
  readonly code?: string
  readonly at?: number
  readonly beforeMs?: number
  readonly nowMs?: number
  readonly isStamped?: boolean
  readonly hardwareAddress?: string
  readonly descriptorCount?: number
}

const ip = (...words: string[]): void => {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'], timeout: LIMIT_MS })
}

class End {
  readonly #child: ChildProcess
  readonly #said: Said[] = []
  readonly #errors: string[] = []

  constructor(space: string, program: string) {
    const words = ['netns', 'exec', space, process.execPath, program, 'ptp0']
    this.#child = spawn('ip', words, { stdio: 'pipe' })
    const { stdout, stderr } = this.#child
    if (stdout) createInterface(stdout).on('line', line => this.#said.push(JSON.parse(line)))
    stderr?.on('data', text => this.#errors.push(String(text)))
  }

  /** Tells it what to do, and waits for what it says first of that kind from then on. */
  async ask(words: string, answer: Said['said']): Promise<Said> {
    const count = this.#said.length
    this.#child.stdin?.write(`${words}\n`)
    return this.#next(({ said }) => said === answer, count)
  }

  /** A kernel takes up to a second to notice that a cable is in: until then there is no such interface. */
  async open(): Promise<Said> {
    for (let tries = 0; tries < 50; tries++) {
      const count = this.#said.length
      this.#child.stdin?.write('open\n')
      const answer = await this.#next(({ said }) => said === 'open' || said === 'failed', count)
      if (answer.said === 'open') return answer
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    throw new Error(JSON.stringify(this.#said))
  }

  heard(text: string): Promise<Said> {
    return this.#next(one => one.said === 'received' && one.text === text, 0)
  }

  lost(): Promise<Said> {
    return this.#next(({ said }) => said === 'lost', 0)
  }

  has(text: string): boolean {
    return this.#said.some(one => one.said === 'received' && one.text === text)
  }

  async #next(isIt: (one: Said) => boolean, from: number): Promise<Said> {
    for (let waitedMs = 0; waitedMs < LIMIT_MS && this.#child.exitCode === null; waitedMs += 5) {
      const found = this.#said.slice(from).find(isIt)
      if (found) return found
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    throw new Error(`${JSON.stringify(this.#said)} ${this.#errors.join('')}`)
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}

const ADDRESSES = ['10.77.0.1', '10.77.0.2'] as const
let cableCount = 0

/** Two ends of one cable: nothing of it is in the machine's own network. */
async function cable(
  t: Test,
  program: string,
): Promise<{ one: End; other: End; spaces: string[] }> {
  const name = `rc-${process.pid}-${++cableCount}`
  const spaces = ['a', 'b'].map(end => `${name}${end}`)
  t.teardown(() => {
    for (const space of spaces) ip('netns', 'del', space)
  })
  for (const space of spaces) ip('netns', 'add', space)
  const [a = '', b = ''] = spaces
  ip('-n', a, 'link', 'add', 'ptp0', 'type', 'veth', 'peer', 'name', 'ptp0', 'netns', b)
  for (const [index, space] of spaces.entries()) {
    ip('-n', space, 'address', 'add', `${ADDRESSES[index]}/24`, 'dev', 'ptp0')
    ip('-n', space, 'link', 'set', 'ptp0', 'up')
  }
  const [one, other] = [new End(a, program), new End(b, program)]
  // Last in, first out: who is in a namespace ends before it goes.
  t.teardown(() => Promise.all([one.end(), other.end()]))
  return { one, other, spaces }
}

/** Event messages from one to the other, until one has the kernel's moments on both sides, which mostly is the first. */
async function stamped(
  from: End,
  to: End,
  address: string,
): Promise<{ sent: Said; received: Said }> {
  for (let count = 0; count < TRIES_MAX; count++) {
    const text = `${address}-${count}`
    const sent = await from.ask(`event ${address} ${text}`, 'sent')
    const received = await to.heard(text)
    if (sent.isStamped && received.isStamped) return { sent, received }
  }
  throw new Error('the kernel tells no moments')
}

function inOrder(t: Test, moments: readonly (number | undefined)[]): void {
  for (const [index, moment = Number.NaN] of moments.entries())
    if (index > 0) t.ok(moment >= (moments[index - 1] ?? Number.NaN) - PAIRED_MS)
}

const skip = isRoot || isGate ? skipWithout('ip').skip : 'network namespaces are for root'

t.test('a cable between two network namespaces', { skip }, async t => {
  const compiled = t.testdir()
  compileInto(compiled, ['test/fixtures/ptp-end'])
  const program = join(compiled, 'test/fixtures/ptp-end.js')

  t.test(
    "both ends hear each other, by the group and alone, with the kernel's moments",
    async t => {
      const { one, other } = await cable(t, program)
      for (const end of [one, other]) {
        const { hardwareAddress } = await end.open()
        t.match(hardwareAddress, /^(?!000000000000)[0-9a-f]{12}$/)
      }
      for (const [from, to, own, its] of [
        [one, other, ...ADDRESSES],
        [other, one, ADDRESSES[1], ADDRESSES[0]],
      ] as const)
        for (const address of ['group', its]) {
          const { sent, received } = await stamped(from, to, address)
          t.match(received, { port: 'event', from: own })
          inOrder(t, [sent.beforeMs, sent.at, received.at, received.nowMs])
          await from.ask(`general ${address} general-${own}-${address}`, 'sent')
          t.match(await to.heard(`general-${own}-${address}`), { port: 'general', from: own })
        }
      for (const [index, end] of [one, other].entries())
        t.notOk(end.has(`general-${ADDRESSES[index]}-group`), 'nobody hears itself')
    },
  )

  t.test('what is sent to one address is for nobody else', async t => {
    const { one, other } = await cable(t, program)
    for (const end of [one, other]) await end.open()
    for (const port of ['event', 'general']) {
      await one.ask(`${port} 10.77.0.3 astray`, 'sent')
      await one.ask(`${port} group after-${port}`, 'sent')
      await other.heard(`after-${port}`)
    }
    t.notOk(other.has('astray'))
  })

  t.test('what is longer than any message of PTP is dropped', async t => {
    const { one, other } = await cable(t, program)
    for (const end of [one, other]) await end.open()
    await one.ask(`general group ${'x'.repeat(1_473)}`, 'sent')
    await one.ask(`general group ${'x'.repeat(1_472)}`, 'sent')
    await other.heard('x'.repeat(1_472))
    t.notOk(other.has('x'.repeat(1_473)))
  })

  for (const [what, down, up] of [
    [
      'turned off',
      (space: string) => ip('-n', space, 'link', 'set', 'ptp0', 'down'),
      (space: string) => ip('-n', space, 'link', 'set', 'ptp0', 'up'),
    ],
    [
      'given another address',
      (space: string) => {
        ip('-n', space, 'address', 'flush', 'dev', 'ptp0')
        ip('-n', space, 'address', 'add', '10.77.0.9/24', 'dev', 'ptp0')
      },
      () => {},
    ],
  ] as const)
    t.test(
      `an interface that is ${what} is lost, though nobody sends, and may be opened again`,
      async t => {
        const { one, other, spaces } = await cable(t, program)
        for (const end of [one, other]) await end.open()
        down(spaces[0] ?? '')
        t.match(await one.lost(), { code: 'device.absent' })
        t.match(await one.ask('event group gone', 'failed'), { code: 'device.absent' })
        up(spaces[0] ?? '')
        await one.open()
        await stamped(one, other, 'group')
        await other.ask('general group back', 'sent')
        await one.heard('back')
      },
    )

  t.test('a link that is closed has let go of its ports, and of nothing else', async t => {
    const { one } = await cable(t, program)
    await one.open()
    t.match(await one.ask('open', 'failed'), { code: 'device.busy' })
    const counts: (number | undefined)[] = []
    for (let times = 0; times < 3; times++) {
      counts.push((await one.ask('close', 'closed')).descriptorCount)
      t.match(await one.ask('general group closed', 'failed'), { code: 'device.absent' })
      await one.open()
    }
    t.ok(Number(counts[0]) > 0)
    t.same(counts, Array(counts.length).fill(counts[0]))
  })
})
