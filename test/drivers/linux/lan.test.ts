import type { NetworkInterfaceInfo } from 'node:os'
import t from 'tap'
import { addressOfPeer, hostsOf, isBeside } from '../../../drivers/linux/lan.js'
import { LinuxPeerLink } from '../../../drivers/linux/peer-link.js'

const options = { host: '127.0.0.1', port: 0, isLoopbackAllowed: true }

t.test('a box goes to addresses of the LAN, and nowhere else', async t => {
  const good = ['http://10.0.0.7:8437', 'http://192.168.1.2:40000', 'http://[fd00::1]:8437']
  const bad = [
    'http://127.0.0.1:8437',
    'http://8.8.8.8:8437',
    'http://172.32.0.1:8437',
    'http://hub.example:8437',
    'https://10.0.0.7:8437',
    'http://10.0.0.7:22',
    'http://10.0.0.7',
    'http://10.0.0.7:8437/admin',
    'http://10.0.0.7:8437/?x',
    'http://u:p@10.0.0.7:8437',
    'http://10.0.0.7.example:8437',
    'http://[::1]:8437',
    'file:///etc/passwd',
    'x',
  ]
  for (const address of good) t.ok(addressOfPeer(address, false), address)
  for (const address of bad) t.equal(addressOfPeer(address, false), null, address)
  t.equal(new LinuxPeerLink(options).sourceAt('box', bad.slice(1)), null)
})

/** @param cidr as the system tells it: `10.55.0.1/24` */
function at(cidr: string, internal = false): NetworkInterfaceInfo {
  const [address = ''] = cidr.split('/')
  const of = { address, internal, netmask: '', mac: '', cidr }
  return address.includes(':') ? { ...of, family: 'IPv6', scopeid: 0 } : { ...of, family: 'IPv4' }
}

const interfaces = {
  lo: [at('127.0.0.1/8', true), at('::1/128', true)],
  docker0: [at('172.17.0.1/16')],
  eth0: [at('2001:db8::7/64'), at('fe80::1/64'), at('fd00::7/64'), at('198.51.100.7/24')],
  usb0: [at('10.55.0.1/24')],
  wlan0: [at('fe80::2/64'), at('192.168.4.17/24')],
  ppp0: [at('8.8.4.4/32')],
  p2p0: [at('8.8.6.6/31')],
  wide0: [at('9.9.9.9/8')],
}

t.test('boxes of its own network are beside it, whatever addresses the venue gives', async t => {
  for (const host of [
    '198.51.100.200',
    '::ffff:198.51.100.9',
    '2001:db8::ffff',
    '10.1.2.3',
    'fd99::1',
  ])
    t.ok(isBeside(host, interfaces), host)
  for (const host of [
    '198.51.101.1',
    '2001:db9::1',
    '8.8.4.5',
    '8.8.6.7',
    '9.1.1.1',
    'fe80::1%eth0',
    'fe80::9',
    'box',
    '',
  ])
    t.notOk(isBeside(host, interfaces), host)
  t.ok(addressOfPeer('http://198.51.100.200:8437', false, interfaces))
  t.ok(addressOfPeer('http://[2001:db8::9]:8437', false, interfaces))
  t.equal(addressOfPeer('http://198.51.101.1:8437', false, interfaces), null)
})

t.test(
  'of its addresses a box tells those that others would go to, the likeliest first',
  async t => {
    const all = [
      '192.168.4.17',
      'fd00::7',
      '198.51.100.7',
      '2001:db8::7',
      '172.17.0.1',
      '10.55.0.1',
    ]
    t.same(hostsOf('::', interfaces), all)
    t.same(
      hostsOf('0.0.0.0', interfaces),
      all.filter(host => !host.includes(':')),
    )
    t.same(hostsOf('10.0.0.3', interfaces), ['10.0.0.3'])
    const link = new LinuxPeerLink(options)
    t.same(link.addresses(), [], 'none before it serves')
  },
)
