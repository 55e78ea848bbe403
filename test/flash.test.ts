/**
 * Runs the real script on files and on a loop device. Where a disk has to look like a card, a stand-in for `lsblk` says
 * so; where a write has to go wrong, a stand-in for `dd` drops what it was given.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'

const SCRIPT = resolve('flash.sh')
const DEADLINE_MS = 30_000
const MEBIBYTE = 1024 * 1024
/** More than one block of the script, and no multiple of one. Mostly empty, as images are. */
const IMAGE = Buffer.alloc(5 * MEBIBYTE + 512)
randomBytes(MEBIBYTE + 65_536).copy(IMAGE)
const CARD_BYTES = 8 * MEBIBYTE

const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }

/** Runs a program of the machine; throws when it fails. */
const system = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' }).trim()

interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** A folder with an image in it, and a bin folder whose programs come before the system's. */
class Bench {
  readonly folder: string
  readonly image: string
  readonly #bin: string

  constructor(t: Pick<Test, 'testdir'>) {
    this.folder = t.testdir({})
    this.image = join(this.folder, 'box.img')
    this.#bin = join(this.folder, 'bin')
    mkdirSync(this.#bin)
    writeFileSync(this.image, IMAGE)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** A regular file in place of a card, full of 0xff. */
  card(bytes = CARD_BYTES): string {
    const path = this.path('card')
    writeFileSync(path, Buffer.alloc(bytes, 0xff))
    return path
  }

  packed(): string {
    system('xz', '--keep', '-0', this.image)
    return `${this.image}.xz`
  }

  program(name: string, script: string): void {
    const path = join(this.#bin, name)
    const real = system('which', name)
    writeFileSync(path, `#!/usr/bin/env bash\nreal=${real}\n${script}\n`)
    chmodSync(path, 0o755)
  }

  /** What lsblk says of the device: one value per column, and for the tree below it the lines of a column. */
  disk(said: Readonly<Record<string, string>>, tree: Readonly<Record<string, string>> = {}): void {
    const columns = { TYPE: 'disk', RM: '1', RO: '0', SIZE: String(CARD_BYTES), MODEL: '', ...said }
    const cases = (values: Readonly<Record<string, string>>): string =>
      Object.entries(values)
        .map(([column, value]) => `*" ${column} "*) printf '%s\\n' '${value}' ;;`)
        .join('\n')
    this.program(
      'lsblk',
      `if [[ " $* " == *" --nodeps "* ]]; then case " $* " in
       ${cases(columns)}
       esac; else case " $* " in
       ${cases({ MOUNTPOINT: '', TYPE: 'disk', ...tree })}
       esac; fi`,
    )
  }

  run(...args: string[]): Outcome {
    return this.answer('', ...args)
  }

  /** Types `input` at the question. */
  answer(input: string, ...args: string[]): Outcome {
    const done = spawnSync('bash', [SCRIPT, ...args], {
      env: this.#environment(),
      input,
      encoding: 'utf8',
      timeout: DEADLINE_MS,
    })
    return { code: done.status, output: done.stdout + done.stderr }
  }

  /** Does something while the script waits for the answer. */
  async answerAfter(act: () => void, input: string, ...args: string[]): Promise<Outcome> {
    const child = spawn('bash', [SCRIPT, ...args], {
      env: this.#environment(),
      timeout: DEADLINE_MS,
    })
    let output = ''
    let isAnswered = false
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      if (isAnswered || !output.includes('to go on: ')) return
      isAnswered = true
      act()
      child.stdin.end(input)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    return new Promise(done => child.on('close', code => done({ code, output })))
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...ENVIRONMENT, PATH: `${this.#bin}:${ENVIRONMENT.PATH}`, TMPDIR: this.folder }
  }
}

const isWhole = (card: string): boolean =>
  readFileSync(card).subarray(0, IMAGE.length).equals(IMAGE)
const isUntouched = (card: string): boolean => readFileSync(card).every(byte => byte === 0xff)
const digestOf = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex')

t.test('an image is written and verified, and what lies behind it is left alone', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 0, output: /and verified/ })
  t.ok(isWhole(card))
  t.ok(
    readFileSync(card)
      .subarray(IMAGE.length)
      .every(byte => byte === 0xff),
  )
})

t.test('a packed image is unpacked on the way', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  t.match(bench.run(bench.packed(), card, '--file', '--yes'), { code: 0 })
  t.ok(isWhole(card))
})

t.test('an image smaller than the part that is written last comes out whole', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  truncateSync(bench.image, 4096)
  t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 0 })
  t.ok(readFileSync(card).subarray(0, 4096).equals(IMAGE.subarray(0, 4096)))
})

t.test('an image of exactly the size of the card fits', async t => {
  const bench = new Bench(t)
  const card = bench.card(IMAGE.length)
  t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 0 })
  t.ok(isWhole(card))
})

t.test('the checksum beside the image decides, upper or lower case', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  const image = bench.packed()
  writeFileSync(`${image}.sha256`, `${digestOf(image).toUpperCase()}  box.img.xz\n`)
  t.match(bench.run(image, card, '--file', '--yes'), { code: 0 })
  writeFileSync(`${image}.sha256`, `${'0'.repeat(64)}  box.img.xz\n`)
  const fresh = bench.card()
  t.match(bench.run(image, fresh, '--file', '--yes'), { code: 3, output: /copy both again/ })
  t.ok(isUntouched(fresh))
})

t.test('nothing is written', async t => {
  t.test('from an image that breaks off', async t => {
    const bench = new Bench(t)
    const card = bench.card()
    const image = bench.packed()
    truncateSync(image, MEBIBYTE)
    t.match(bench.run(image, card, '--file', '--yes'), { code: 3, output: /damaged/ })
    t.ok(isUntouched(card))
  })

  t.test('from an image that is empty or no number of sectors', async t => {
    const bench = new Bench(t)
    const card = bench.card()
    truncateSync(bench.image, 1000)
    t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 3, output: /sectors/ })
    truncateSync(bench.image, 0)
    t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 3, output: /empty/ })
    t.ok(isUntouched(card))
  })

  t.test('to a card that is too small', async t => {
    const bench = new Bench(t)
    const card = bench.card(5 * MEBIBYTE)
    t.match(bench.run(bench.image, card, '--file', '--yes'), { code: 4, output: /holds 5.0MiB/ })
    t.ok(isUntouched(card))
  })

  t.test('over the image itself', async t => {
    const bench = new Bench(t)
    t.match(bench.run(bench.image, bench.image, '--file', '--yes'), { code: 4 })
    t.ok(isWhole(bench.image))
  })

  t.test('when nobody answers, or answers something else', async t => {
    const bench = new Bench(t)
    const card = bench.card()
    t.match(bench.answer('', bench.image, card, '--file'), { code: 5, output: /nothing was/ })
    t.match(bench.answer('yes\n', bench.image, card, '--file'), { code: 5 })
    t.ok(isUntouched(card))
  })
})

t.test('the name of the card, typed, is the answer that goes on', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  t.match(bench.answer('card\n', bench.image, card, '--file'), { code: 0 })
  t.ok(isWhole(card))
})

t.test('wrong arguments are refused with what would be right', async t => {
  const bench = new Bench(t)
  const card = bench.card()
  t.match(bench.run(bench.image), { code: 2, output: /needs an image and a device/ })
  t.match(bench.run(bench.image, card, card), { code: 2, output: /takes one image and one/ })
  t.match(bench.run(bench.image, card, '--force'), { code: 2, output: /does not know --force/ })
  t.match(bench.run(card, bench.image, '--file'), { code: 2, output: /takes .img and .img.xz/ })
  t.match(bench.run(bench.path('no.img'), card, '--file'), { code: 3, output: /finds no image/ })
  t.match(bench.run('--help'), { code: 0, output: /will come with provisioning/ })
})

t.test('a write that goes wrong', async t => {
  /** `how` stands between what the script writes to the card and the card. */
  const spoil = (bench: Bench, how: string): void =>
    bench.program('dd', `[[ $* == *seek=${MEBIBYTE}* ]] || exec $real "$@"\n${how}`)

  t.test('is found out when the end is dropped', async t => {
    const bench = new Bench(t)
    spoil(bench, '/usr/bin/head --bytes=-4096 | $real "$@"')
    t.match(bench.run(bench.image, bench.card(), '--file', '--yes'), {
      code: 7,
      output: /does not hold what was written.*not usable/s,
    })
  })

  t.test('is found out when one byte is another', async t => {
    const bench = new Bench(t)
    spoil(bench, '{ printf X; /usr/bin/tail --bytes=+2; } | $real "$@"')
    const outcome = bench.run(bench.image, bench.card(), '--file', '--yes')
    // One time in 256 the byte was an X anyway.
    t.equal(outcome.code, IMAGE[MEBIBYTE] === 'X'.charCodeAt(0) ? 0 : 7)
  })

  t.test('leaves a card that does not boot', async t => {
    const bench = new Bench(t)
    const card = bench.card()
    spoil(bench, 'exit 1')
    t.match(bench.run(bench.image, card, '--file', '--yes'), {
      code: 6,
      output: /the write failed.*not usable/s,
    })
    t.ok(
      readFileSync(card)
        .subarray(0, MEBIBYTE)
        .every(byte => byte === 0),
    )
  })
})

/** A block device without a medium: a refusal that is missing cannot do harm there. */
const EMPTY_DEVICE = '/dev/loop7'
const whyNoBlockDevice = existsSync(EMPTY_DEVICE) ? false : `there is no ${EMPTY_DEVICE}`

t.test('what may be a disk of this machine is refused', { skip: whyNoBlockDevice }, async t => {
  const bench = new Bench(t)
  const refused = (output: RegExp): void =>
    void t.match(bench.run(bench.image, EMPTY_DEVICE, '--yes'), { code: 4, output })
  bench.disk({ TYPE: 'part' })
  refused(/whole disks only, and .* is a part/)
  bench.disk({ RM: '0' })
  refused(/not removable/)
  bench.disk({ RO: '1' })
  refused(/read-only/)
  bench.disk({ SIZE: '0' })
  refused(/no card/)
  bench.disk({ SIZE: String(300 * 1024 * MEBIBYTE) })
  refused(/larger than 256 GiB/)
  bench.disk({}, { MOUNTPOINT: '\n/boot/firmware\n/' })
  refused(/in use at \/boot\/firmware \/: unmount/)
  bench.disk({}, { MOUNTPOINT: '[SWAP]' })
  refused(/in use at \[SWAP\]/)
  bench.disk({}, { TYPE: 'disk\npart\ncrypt\nlvm' })
  refused(/in use by crypt lvm/)
  bench.program('lsblk', 'exit 1')
  refused(/cannot learn what/)
})

t.test('a file or a device that is not there is no card', async t => {
  const bench = new Bench(t)
  t.match(bench.run(bench.image, bench.card(), '--yes'), { code: 4, output: /say --file/ })
  t.match(bench.run(bench.image, '/dev/no-such-card', '--yes'), { code: 4 })
  t.match(bench.run(bench.image, bench.path('no-file'), '--file', '--yes'), { code: 4 })
  t.notOk(existsSync(bench.path('no-file')))
})

function whyNoLoop(): string | false {
  if (process.getuid?.() !== 0) return 'only root may attach a loop device'
  try {
    system('losetup', '--find')
    return false
  } catch {
    // It says so by its exit status.
    return 'no loop device is free'
  }
}

t.test('a block device', { skip: whyNoLoop() }, async t => {
  const attach = (t: Pick<Test, 'teardown'>, bench: Bench): string => {
    const device = system('losetup', '--find', '--show', '--partscan', bench.card())
    t.teardown(() => void system('losetup', '--detach', device))
    return device
  }

  t.test('is written past the cache and verified', async t => {
    const bench = new Bench(t)
    const device = attach(t, bench)
    bench.disk({})
    const outcome = bench.run(bench.image, device, '--yes')
    t.match(outcome, { code: 0, output: /and verified/ }, outcome.output)
    t.ok(isWhole(bench.path('card')))
  })

  t.test('that only looks unused is refused: the kernel has the last word', async t => {
    const bench = new Bench(t)
    const device = attach(t, bench)
    const mountPoint = bench.path('mount')
    mkdirSync(mountPoint)
    system('mkfs.ext4', '-q', device)
    system('mount', device, mountPoint)
    bench.disk({})
    const outcome = bench.run(bench.image, device, '--yes')
    // Not at teardown: the folder is removed before that.
    system('umount', mountPoint)
    t.match(outcome, { code: 4, output: /does not let go of it/ })
  })

  t.test('that is swapped for another while the question waits is looked at again', async t => {
    const bench = new Bench(t)
    const device = attach(t, bench)
    bench.disk({})
    const swap = (): void => bench.disk({ RM: '0' })
    const name = device.replace('/dev/', '')
    t.match(await bench.answerAfter(swap, `${name}\n`, bench.image, device), {
      code: 4,
      output: /not removable/,
    })
    t.ok(isUntouched(bench.path('card')))
  })
})
