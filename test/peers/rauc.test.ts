/** Two operating systems by a real RAUC: its signature, its slots, its boot loader's variables; from the bundle to the refusal. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LinuxKeys } from '../../drivers/linux/keys.js'
import { openLibc } from '../../drivers/linux/libc.js'
import { LinuxSlotDisk } from '../../drivers/linux/slot-disk.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import type { BundleImage } from '../../ota/os/os-state.js'
import type { OsSource } from '../../ota/os/os-writer.js'
import type { RaucSystem } from '../../ota/os/rauc-system.js'
import { openRauc } from '../../ota/process/rauc.js'
import type { ComposedSystems } from '../../ota/process/systems.js'
import { Card, ordersOf, startBox, until, workbench } from '../ota/process/systems-world.js'
import { makeRaucMachine, type RaucMachine, whyNoRauc } from '../ports/rauc-machine.js'

/** Real programs take their time. */
const LOOK_MS = 20
const unhurried = { progress: () => {}, isCancelled: () => false }

interface MadeBundle {
  readonly image: BundleImage
  readonly source: OsSource
  readonly rootfs: Uint8Array
}

async function made({ bundle }: RaucMachine, version: string): Promise<MadeBundle> {
  const rootfs = Buffer.alloc(70_001, version)
  const images = { rootfs, boot: Buffer.alloc(4_096, version) }
  const path = await bundle({ compatible: 'pi-5', key: 'studio', images })
  const file = readFileSync(path)
  const sha256 = createHash('sha256').update(file).digest('hex')
  const part = { byteCount: file.length, sha256 }
  return {
    image: { digest: sha256, version, floor: null, bundle: part, slots: [] },
    source: { open: () => createReadStream(path) },
    rootfs,
  }
}

async function systemOn({ folder, commands }: RaucMachine): Promise<RaucSystem> {
  const home = join(folder, 'home')
  const calls = await openLibc()
  const parts = {
    ...{ home, calls, disk: new LinuxSlotDisk(home, calls), keys: new LinuxKeys() },
    clock: new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    log: new SimulatedLog(),
    isAppOnTrial: async () => false,
  }
  const system = openRauc(parts, commands)
  await system.status()
  return system
}

const variable = ({ folder }: RaucMachine, name: string): string =>
  readFileSync(join(folder, 'variables', name), 'utf8')
    .trim()
    .replaceAll(/ +/g, ' ')

t.test(
  'a bundle is installed, tried, kept, and its successor refused',
  {
    skip: whyNoRauc() ?? false,
  },
  async t => {
    const machine = await makeRaucMachine(t, { activates: true })
    const { folder, boot } = machine
    writeFileSync(join(folder, 'variables', 'left-A'), '1\n')
    const home = await systemOn(machine)
    t.equal(variable(machine, 'left-A'), '3', 'what is good says so after each boot')
    const second = await made(machine, '1.1.0')
    t.equal(await home.write(second.image, second.source, unhurried), 'b')
    t.equal(variable(machine, 'order'), 'A B', 'RAUC had made it the first, which waits')
    const slot = readFileSync(join(folder, 'rootfs.1')).subarray(0, second.rootfs.length)
    t.equal(Buffer.compare(slot, second.rootfs), 0)
    t.same(readdirSync(join(folder, 'home', 'ota', 'bundles')), [])
    await home.tryBoot()
    t.equal(variable(machine, 'order'), 'B A')
    await boot('B')
    const trial = await systemOn(machine)
    t.match(await trial.status(), { running: 'b', isTrial: true })
    writeFileSync(join(folder, 'variables', 'left-B'), '2\n')
    await trial.markGood()
    t.equal(variable(machine, 'left-B'), '3')
    const third = await made(machine, '1.2.0')
    t.equal(await trial.write(third.image, third.source, unhurried), 'a')
    await trial.tryBoot()
    await boot('A')
    const faulty = await systemOn(machine)
    await faulty.giveUp('a device does not answer')
    t.equal(variable(machine, 'order'), 'B')
    t.equal(variable(machine, 'left-A'), '0')
    await boot('B')
    const after = await systemOn(machine)
    t.match(await after.status(), { running: 'b', usual: 'b', isTrial: false })
    t.match(await after.whyNot(third.image), [/1\.2\.0 failed: a device does not answer/])
    t.equal(existsSync(join(folder, 'mount', 'bundle', 'manifest.raucm')), false)
  },
)

t.test(
  'from a bundle by the commands of the publisher to the slots: one that fails, one that stays',
  { skip: whyNoRauc() ?? false },
  async t => {
    const machine = await makeRaucMachine(t, { activates: true })
    const { folder, workshop, repository } = workbench(t)
    await workshop.opens()
    const publish = async (version: string): Promise<void> => {
      const images = { rootfs: Buffer.alloc(70_001, version), boot: Buffer.alloc(4_096, version) }
      const path = await machine.bundle({ compatible: 'pi-5', key: 'studio', images })
      const what = `--system ${version} --board pi-4b --bundle ${path} --quality 1`
      await workshop.does(`release build-os --into @built-${version} ${what}`)
      await workshop.does(`release publish @built-${version}`)
      await workshop.does(`release order summer --os pi-4b=${version}`)
    }
    const card = new Card(join(folder, 'card'))
    const wishes = { os: { kind: 'rauc' }, rauc: machine.commands } as const
    const patience = () => new Promise<void>(resolve => setTimeout(resolve, LOOK_MS))
    /** Under the system that runs, until another one is to be started. */
    const lead = async (order: string): Promise<void> => {
      const box = startBox(card, repository, wishes)
      const look = await ordersOf(card, repository)
      await until(box, look, () => variable(machine, 'order') === order, patience)
      await box.stop()
    }
    /** Under the system that was started, until it is left or found good. */
    const live = async (gate: readonly string[], isDone: (box: ComposedSystems) => boolean) => {
      const clock = new SimulatedClock({ showStartMs: 1.8e12, driftPpm: 0 })
      const box = startBox(card, repository, { ...wishes, clock, gate })
      const look = await ordersOf(card, repository)
      await until(
        box,
        look,
        () => isDone(box),
        () => clock.advance(500),
      )
      await box.stop()
      return box.turns.report()
    }
    await publish('2.0.0')
    await lead('B A')
    await machine.boot('B')
    const left = await live(
      ['devices: 1 is silent'],
      ({ turns }) => turns.report().phase === 'switching',
    )
    t.match(left.refused, [{ version: '2.0.0', why: 'gate: devices: 1 is silent' }])
    t.equal(variable(machine, 'order'), 'A', 'and is no more')
    await machine.boot('A')
    await publish('2.1.0')
    await lead('B A')
    await machine.boot('B')
    writeFileSync(join(machine.folder, 'variables', 'left-B'), '2\n')
    const kept = await live([], ({ turns }) => turns.report().systems?.b.kind === 'good')
    t.match(kept, { running: 'b', candidate: null, systems: { b: { version: '2.1.0' } } })
    t.equal(variable(machine, 'left-B'), '3')
    t.equal(variable(machine, 'order'), 'B A')
    t.match(kept.refused, [{ version: '2.0.0' }])
    await publish('2.2.0')
    await lead('A B')
    await machine.bootSilently('A')
    const silent = await live([], ({ turns }) => turns.report().phase === 'switching')
    t.match(silent, { running: 'a', unmet: [{ words: /nobody can judge .*: RAUC: / }] })
    await machine.boot('B')
    const isRefused = ({ turns }: ComposedSystems) => turns.report().refused.length > 1
    const why = /^nobody could judge it in a boot: RAUC: /
    t.match((await live([], isRefused)).refused, [{}, { version: '2.2.0', why }])
    t.equal(variable(machine, 'order'), 'B A')
  },
)
