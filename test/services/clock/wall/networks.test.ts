import t from 'tap'
import { isWithin, networkOf } from '../../../../runtime/services/clock/wall/networks.js'

t.test('an address belongs to a network by its first bits', async t => {
  const table: [string, string, boolean][] = [
    ['10.77.0.0/24', '10.77.0.1', true],
    ['10.77.0.0/24', '10.77.0.255', true],
    ['10.77.0.0/24', '10.77.1.0', false],
    ['10.77.0.9/24', '10.77.0.1', true],
    ['192.168.0.0/16', '192.168.255.255', true],
    ['192.168.0.0/16', '192.169.0.0', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['10.0.0.0/8', '::1', false],
    ['10.0.0.0/8', '', false],
  ]
  for (const [network, address, expected] of table) {
    const read = networkOf(network)
    t.equal(isWithin(address, read === null ? [] : [read]), expected, `${address} in ${network}`)
  }
})

t.test('what is not a network is none', async t => {
  for (const text of [
    '',
    '10.0.0',
    '10.0.0.256/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'x',
  ])
    t.equal(networkOf(text), null, text)
})
