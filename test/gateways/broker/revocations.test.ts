import t from 'tap'
import { SimulatedClock } from '../../../drivers/simulated/clock.js'
import { SimulatedFiles } from '../../../drivers/simulated/files.js'
import { SimulatedLog } from '../../../drivers/simulated/log.js'
import { Revocations } from '../../../runtime/gateways/broker/revocations.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test(
  'names and serial numbers are known, however they are written, and changes are seen',
  async t => {
    const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
    const files = new SimulatedFiles()
    const log = new SimulatedLog()
    await files.replace('revoked', bytes('# the stolen one\nlamp-1\n0A:1B:2C\n\n'))
    const revocations = new Revocations(clock, log, files, 'revoked')
    let changes = 0
    await revocations.start(() => {
      changes++
    })
    t.equal(revocations.has({ name: 'lamp-1', serial: '99' }), true)
    t.equal(revocations.has({ name: 'lamp-2', serial: '0a1b2c' }), true)
    t.equal(revocations.has({ name: 'lamp-2', serial: '99' }), false)
    t.equal(revocations.has({ name: '', serial: '99' }), false, 'an empty line is nobody')
    await clock.advance(60_000)
    t.equal(changes, 0)
    await files.replace('revoked', bytes('lamp-2\n'))
    await clock.advance(60_000)
    t.equal(changes, 1)
    t.equal(revocations.has({ name: 'lamp-2', serial: '99' }), true)
    await files.remove('revoked')
    await clock.advance(60_000)
    t.equal(
      revocations.has({ name: 'lamp-2', serial: '99' }),
      true,
      'a list that is gone frees nobody',
    )
    t.ok(log.events('error').includes('broker.revocations-missing'))
    revocations.stop()
  },
)

t.test('a list that is not there at the start is a mistake in the configuration', async t => {
  const revocations = new Revocations(
    new SimulatedClock({ showStartMs: 0, driftPpm: 0 }),
    new SimulatedLog(),
    new SimulatedFiles(),
    'revoked',
  )
  await t.rejects(
    revocations.start(() => {}),
    { code: 'config.invalid', message: /box\.broker\.tls\.revoked: there is no revoked/ },
  )
})
