import t from 'tap'
import { simulated } from '../../boards/simulated.js'
import { checkDevice } from '../../drivers/catalogue.js'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedEscposPrinter } from '../../drivers/simulated/escpos-printer.js'
import { usualPrinter } from '../../drivers/simulated/escpos-printer-models.js'
import { SimulatedHost } from '../../drivers/simulated/host.js'
import { ConfigError } from '../../runtime/core/errors.js'
import { smallTicket, within } from './printer-bench.js'

const check = (options: unknown) =>
  checkDevice({ name: 'till', driver: 'escpos-printer', options }, 'box.devices[0]')

/** What is wrong with the options, each line without the common part of its path. */
function wrong(options: unknown): string {
  try {
    check(options)
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.replaceAll('box.devices[0].options', '')
  }
}

t.test('a printer is named by what it hangs on, so that no two drivers take it', async t => {
  const streams = (transport: unknown) => check({ transport }).resources.streams
  t.same(streams({ kind: 'usb' }), ['the USB printer any'])
  t.same(streams({ kind: 'usb', which: '/dev/usb/lp0' }), ['the USB printer /dev/usb/lp0'])
  t.same(streams({ kind: 'tcp', host: '10.0.0.5' }), ['the address 10.0.0.5:9100'])
  t.same(streams({ kind: 'tcp', host: 'till.local', port: 9101 }), ['the address till.local:9101'])
  t.same(streams({ kind: 'serial', port: 'printer' }), ['the serial port "printer"'])
})

t.test('wrong options are refused by name', async t => {
  const transport = { kind: 'usb' }
  t.match(wrong({}), /transport/)
  t.match(wrong({ transport: { kind: 'bluetooth' } }), /transport/)
  t.match(wrong({ transport: { kind: 'tcp' } }), /transport.host/)
  t.match(wrong({ transport: { kind: 'tcp', host: 'a b' } }), /transport.host: must be a host name/)
  t.match(wrong({ transport: { kind: 'tcp', host: 'x', port: 0 } }), /between 1 and 65535/)
  t.match(wrong({ transport, paper: 76 }), /paper/)
  t.match(wrong({ transport, dotsPerLine: 5 }), /dotsPerLine: must be between 128 and 1024, is 5/)
  t.match(wrong({ transport, codePage: 'cp1' }), /codePage/)
  t.match(wrong({ transport, confirmSeconds: 1 }), /confirmSeconds: must be between 2 and 600/)
  t.match(wrong({ transport, stallMinutes: 0 }), /stallMinutes/)
  t.match(wrong({ transport, confirmation: 'hope' }), /confirmation/)
  t.match(wrong({ transport, cutter: true }), /cutter/)
  t.equal(wrong({ transport }), '')
})

t.test('a printer out of the catalogue prints, on each kind of line', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const host = new SimulatedHost(simulated, clock)
  const port = simulated.serialPorts[0]?.name ?? ''
  for (const { transport, far } of [
    { transport: { kind: 'usb' }, far: host.plugged.usb('any') },
    { transport: { kind: 'tcp', host: '10.0.0.5' }, far: host.plugged.tcp('10.0.0.5', 9100) },
    { transport: { kind: 'serial', port }, far: host.stream(port) },
  ]) {
    const machine = new SimulatedEscposPrinter(far, clock, usualPrinter)
    machine.switchOn()
    const built = check({ transport }).build(host, clock)
    if (built.kind !== 'printer') throw new Error('it is a printer')
    const { device } = built
    t.same(device.paper, {
      widthMillimetres: 80,
      dotsPerLine: 576,
      dotsPerMillimetre: 8,
      codePage: 'cp858',
    })
    await within(clock, device.start(), 5000)
    const job = device.print(smallTicket('ABCDEF-0001-X'), () => {})
    t.same(await within(clock, job, 5000), { kind: 'confirmed', by: 'process-id' })
    t.same(machine.paper.pieces[0]?.serials, ['ABCDEF-0001-X'])
    await device.stop()
  }
})

t.test('narrow paper has a narrow head, and both can be told otherwise', async t => {
  const host = new SimulatedHost(simulated, new SimulatedClock({ showStartMs: 0, driftPpm: 0 }))
  const paper = (options: object) => {
    const built = check({ transport: { kind: 'usb' }, ...options }).build(
      host,
      new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    )
    return built.kind === 'printer' ? built.device.paper : null
  }
  t.match(paper({ paper: 58 }), { widthMillimetres: 58, dotsPerLine: 384 })
  t.match(paper({ paper: 80, dotsPerLine: 512 }), { widthMillimetres: 80, dotsPerLine: 512 })
})

t.test('a serial port that the board does not have is refused', async t => {
  const host = new SimulatedHost(simulated, new SimulatedClock({ showStartMs: 0, driftPpm: 0 }))
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const checked = check({ transport: { kind: 'serial', port: 'nowhere' } })
  t.throws(() => checked.build(host, clock), { message: /no serial port "nowhere"/ })
})
