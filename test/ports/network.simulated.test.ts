import t from 'tap'
import { SimulatedClock } from '../../drivers/simulated/clock.js'
import { SimulatedNetwork } from '../../drivers/simulated/network.js'
import { networkContract, to } from './network.contract.js'

networkContract(t, () => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const network = new SimulatedNetwork(clock)
  const well = { isUp: true, delayMs: 0, status: 200 }
  return {
    network,
    answering: async status => {
      network.setLink('answering', { ...well, status })
      return 'http://answering/'
    },
    silent: async () => {
      network.setLink('silent', { ...well, delayMs: 60_000 })
      return 'http://silent/'
    },
    absent: async () => {
      network.setLink('absent', { ...well, isUp: false })
      return 'http://absent/'
    },
    pass: durationMs => clock.advance(durationMs),
  }
})

t.test('an answer comes after the delay of its link, and requests are remembered', async t => {
  const clock = new SimulatedClock({ showStartMs: 0, driftPpm: 0 })
  const network = new SimulatedNetwork(clock)
  network.link = { isUp: true, delayMs: 80, status: 201 }
  let status = 0
  const answered = network.request(to('http://hook/')).then(code => {
    status = code
  })
  await clock.advance(79)
  t.equal(status, 0)
  await clock.advance(1)
  await answered
  t.equal(status, 201)
  t.same(
    network.requests.map(({ url }) => url),
    ['http://hook/'],
  )
})
