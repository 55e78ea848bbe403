/** Our NUT server before Debian's upsc, upsrw, upscmd and upsmon; our client before its upsd. All on loopback. */
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { LinuxAttachments } from '../../drivers/linux/attachments.js'
import { Claims } from '../../drivers/linux/claims.js'
import { LinuxClock, ownAnchor } from '../../drivers/linux/clock.js'
import type { NutLogin } from '../../drivers/nut-client.js'
import { NutUps } from '../../drivers/nut-ups.js'
import { SimulatedLog } from '../../drivers/simulated/log.js'
import { Bus } from '../../runtime/core/bus.js'
import { NutServer } from '../../runtime/gateways/nut/nut-server.js'
import type { GaugeReading } from '../../runtime/ports/gauge.js'
import type { Messages } from '../../runtime/topics.js'
import { readOne } from '../drivers/gauge-bench.js'
import { aPack, onBattery, onMains, power } from '../gateways/nut/nut-world.js'
import { run } from './mosquitto-broker.js'
import { hasNutClient, hasNutServer, startUpsd, startUpsmon, until } from './nut-programs.js'

const isGate = process.env['CI'] !== undefined
const skipClient = !(hasNutClient || isGate) && 'nut-client is not installed'
const skipServer = !(hasNutServer || isGate) && 'nut-server is not installed'

async function openServer(t: Test): Promise<{ bus: Bus<Messages>; port: number }> {
  const bus = new Bus<Messages>()
  const server = new NutServer(new LinuxClock(ownAnchor()), new SimulatedLog(), bus, {
    box: 'lobby',
    model: 'Simulated venue box',
    version: '1.2.3',
    power: power(),
    listen: { port: 0, reach: 'loopback' },
  })
  t.teardown(() => server.stop())
  await server.start()
  return { bus, port: server.port }
}

/** What a program says, without the word on SSL that all of them begin with. */
async function said(program: string, args: readonly string[]): Promise<string> {
  const { output } = await run(program, args)
  return output.replace('Init SSL without certificate database\n', '')
}

t.test('upsc lists the box, and reads all that it tells', { skip: skipClient }, async t => {
  const { bus, port } = await openServer(t)
  const at = `127.0.0.1:${port}`
  t.equal(await said('upsc', ['-l', at]), 'lobby\n')
  t.equal(await said('upsc', ['-L', at]), 'lobby: Roadcase box lobby\n')
  t.equal(await said('upsc', [`lobby@${at}`]), 'Error: Data stale\n')
  bus.publish('power/state', onBattery)
  bus.publish('battery/state', aPack)
  t.same((await said('upsc', [`lobby@${at}`])).split('\n'), [
    'battery.capacity: 2.65',
    'battery.charge: 87.3',
    'battery.charge.low: 10',
    'battery.charge.warning: 30',
    'battery.current: -0.8',
    'battery.packs: 1',
    'battery.runtime: 4321',
    'battery.runtime.low: 480',
    'battery.temperature: 31.3',
    'battery.type: Li-ion',
    'battery.voltage: 12.345',
    'device.mfr: Roadcase',
    'device.model: Simulated venue box',
    'device.serial: lobby',
    'device.type: ups',
    'driver.name: roadcase',
    'driver.version: 1.2.3',
    'ups.mfr: Roadcase',
    'ups.model: Simulated venue box',
    'ups.realpower: 9.9',
    'ups.serial: lobby',
    'ups.status: OB DISCHRG',
    '',
  ])
  t.equal(await said('upsc', [`lobby@${at}`, 'ups.status']), 'OB DISCHRG\n')
  t.equal(
    await said('upsc', [`lobby@${at}`, 'ups.load']),
    'Error: Variable not supported by UPS\n',
    'unknown is not zero',
  )
  t.equal(await said('upsc', [`lounge@${at}`]), 'Error: Unknown UPS\n')
})

t.test(
  'upsrw and upscmd find nothing to change, and change nothing',
  { skip: skipClient },
  async t => {
    const { bus, port } = await openServer(t)
    bus.publish('power/state', onMains)
    const ups = `lobby@127.0.0.1:${port}`
    t.equal(await said('upsrw', [ups]), '')
    const user = ['-u', 'admin', '-p', 'secret']
    t.match(await said('upsrw', ['-s', 'battery.charge=0', ...user, ups]), /ERR ACCESS-DENIED/)
    t.match(await said('upscmd', ['-l', ups]), /^Instant commands supported on UPS \[lobby\]:\s*$/)
    t.match(await said('upscmd', [...user, ups, 'load.off']), /ERR CMD-NOT-SUPPORTED/)
    t.equal(await said('upsc', [ups, 'battery.charge']), '87.3\n')
  },
)

t.test(
  'upsmon logs in, follows, and shuts its machine down with the box',
  { skip: skipClient },
  async t => {
    const { bus, port } = await openServer(t)
    bus.publish('power/state', onMains)
    const upsmon = await startUpsmon('lobby', port)
    t.teardown(() => upsmon.stop())
    await upsmon.until(output => output.includes('Logged into UPS lobby@'), 'the log-in')
    t.match(
      await said('upsc', ['-c', `lobby@127.0.0.1:${port}`]),
      /^127\.0\.0\.1\n$/,
      'and is listed with those who have',
    )
    await upsmon.until(output => output.includes('[OL CHRG]'), 'the mains')
    bus.publish('power/state', onBattery)
    await upsmon.until(output => /UPS lobby@.* on battery/.test(output), 'the battery')
    t.equal(upsmon.hasShutDown(), false)
    bus.publish('power/state', { ...onBattery, stage: 'shed', percent: 18 })
    await upsmon.until(output => output.split('[OB DISCHRG]').length > 3, 'some looks')
    t.equal(upsmon.hasShutDown(), false, 'there is time left')
    bus.publish('power/state', onMains)
    await upsmon.until(output => /UPS lobby@.* on line power/.test(output), 'the mains again')
    bus.publish('power/state', { ...onBattery, stage: 'shutdown', percent: 4 })
    await upsmon.until(output => output.includes('[FSD OB LB DISCHRG]'), 'the end')
    await until(
      () => upsmon.hasShutDown(),
      'its shutdown',
      () => upsmon.output(),
    )
  },
)

t.test(
  'a real upsd is read, and what changes in it is read next',
  { skip: skipServer },
  async t => {
    const upsd = await startUpsd('rack', {
      'battery.charge': '55',
      'battery.voltage': '24.8',
      'battery.temperature': '31.5',
      'battery.runtime': '1200',
      'ups.mfr': String.raw`"say \"hi\" \\ \#1"`,
      'ups.status': 'OB DISCHRG',
    })
    t.teardown(() => upsd.stop())
    const gauge = openGauge(upsd.port, 'rack')
    t.teardown(() => gauge.stop())
    await gauge.start()
    const reads = async (
      isThere: (reading: GaugeReading) => boolean,
      what: string,
    ): Promise<void> => {
      let last: GaugeReading | null = null
      const look = async (): Promise<boolean> => {
        last = await readOne(gauge)
        return isThere(last)
      }
      await until(look, what, () => JSON.stringify(last))
    }
    await reads(reading => reading.percent === 55, 'the first values')
    t.match(await readOne(gauge), {
      millivolts: 24_800,
      celsius: 31.5,
      isExternal: false,
      isCharging: false,
      secondsToEmpty: 1_200,
      troubles: [],
    })

    const ups = `rack@127.0.0.1:${upsd.port}`
    const user = ['-u', upsd.user.name, '-p', upsd.user.password]
    t.equal(await said('upsrw', ['-s', 'battery.charge=54', ...user, ups]), 'OK\n')
    await reads(reading => reading.percent === 54, 'what upsrw has set')

    await upsd.write({ 'battery.charge': '60', 'battery.voltage': '27.1', 'ups.status': 'OL CHRG' })
    await reads(reading => reading.percent === 60, 'what the file says now')
    t.match(await readOne(gauge), { isExternal: true, isCharging: true, secondsToEmpty: null })
    await upsd.write({ 'ups.status': 'FSD OB LB', 'battery.charge': '3' })
    await reads(reading => reading.secondsToEmpty === 0, 'the end')

    await upsd.stopDriver()
    await reads(reading => reading.troubles.includes('not-ready'), 'stale data')
    t.match(await readOne(gauge), { percent: null, isExternal: null })
  },
)

t.test(
  'a UPS that upsd does not have is not started, and an upsd that ends is a fault',
  { skip: skipServer },
  async t => {
    const upsd = await startUpsd('rack', { 'ups.status': 'OL' })
    t.teardown(() => upsd.stop())
    const stranger = openGauge(upsd.port, 'lounge')
    await t.rejects(stranger.start(), { code: 'device.absent', message: /UNKNOWN-UPS/ })
    const gauge = openGauge(upsd.port, 'rack')
    t.teardown(() => gauge.stop())
    const fault = new Promise<Error>(resolve => void gauge.onFault(resolve))
    await gauge.start()
    await upsd.stop()
    t.match(await fault, { name: 'DeviceError' })
    await t.rejects(gauge.read(), { code: 'device.absent' })
  },
)

t.test(
  'several devices share one upsd, and one of them fails alone',
  { skip: skipServer },
  async t => {
    const upsd = await startUpsd('rack', { 'battery.charge': '55', 'ups.status': 'OL' })
    t.teardown(() => upsd.stop())
    const [rack, shelf] = [openGauge(upsd.port, 'rack'), openGauge(upsd.port, upsd.driverless)]
    t.teardown(() => rack.stop())
    t.teardown(() => shelf.stop())
    await Promise.all([rack.start(), shelf.start()])
    await until(async () => (await readOne(rack)).percent === 55, 'the first values')
    t.match(await readOne(shelf), { percent: null, isExternal: null, troubles: ['not-ready'] })
    await shelf.stop()
    t.match(await readOne(rack), { percent: 55, isExternal: true })
  },
)

t.test(
  'upsd lets in who it knows, and refuses others with a reason and without their password',
  { skip: skipServer },
  async t => {
    const upsd = await startUpsd('rack', { 'battery.charge': '55', 'ups.status': 'OL' })
    t.teardown(() => upsd.stop())
    // Data of the driver must be there: upsd logs nobody in to a UPS that it knows nothing of.
    const open = openGauge(upsd.port, 'rack')
    t.teardown(() => open.stop())
    await open.start()
    await until(async () => (await readOne(open)).percent === 55, 'the first values')
    const gauge = openGauge(upsd.port, 'rack', upsd.watcher)
    t.teardown(() => gauge.stop())
    await gauge.start()
    t.match(await readOne(gauge), { percent: 55, isExternal: true })
    t.equal(
      await said('upsc', ['-c', `rack@127.0.0.1:${upsd.port}`]),
      '127.0.0.1\n',
      'one of the two is logged in',
    )
    for (const [username, password] of [
      [upsd.watcher.username, 'wrong-word'],
      ['nobody', upsd.watcher.password],
      [upsd.user.name, upsd.user.password],
    ] as const) {
      const refused = openGauge(upsd.port, 'rack', { username, password })
      const why = await refused.start().then(
        () => null,
        (error: unknown) => error,
      )
      t.match(why, { code: 'device.denied', message: /rack: ACCESS-DENIED, its name or password/ })
      t.notOk(inspect(why, { depth: 9 }).includes(password), username)
    }
    const waiting = openGauge(upsd.port, upsd.driverless, upsd.watcher)
    t.teardown(() => waiting.stop())
    await waiting.start()
    t.match(await readOne(waiting), { percent: null, troubles: ['not-ready'] })
    t.match(await readOne(waiting), { troubles: ['not-ready'] }, 'and is asked again')
  },
)

const clock = new LinuxClock(ownAnchor())
const machine = new LinuxAttachments(clock, new Claims())

function openGauge(port: number, ups: string, login: NutLogin | null = null): NutUps {
  const stream = machine.tcpStream('127.0.0.1', port, 'beside')
  return new NutUps(stream, clock, { name: 'pack', ups, login })
}
