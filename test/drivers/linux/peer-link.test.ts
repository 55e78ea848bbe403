import { get } from 'node:http'
import { createConnection, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { addressOfPeer, hostsOf, LinuxPeerLink } from '../../../drivers/linux/peer-link.js'
import { BoxError } from '../../../runtime/core/errors.js'
import type { GivePiece } from '../../../runtime/ports/peer-link.js'

const SHA = 'a'.repeat(64)
const options = { host: '127.0.0.1', port: 0, isLoopbackAllowed: true }

async function serve(t: Test, give: GivePiece): Promise<string> {
  const link = new LinuxPeerLink(options)
  t.teardown(() => link.close())
  await link.serve(give)
  const [address = ''] = link.addresses()
  return address
}

const statusOf = (url: string, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { method, agent: false }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    }).on('error', reject)
  })

t.test('nothing but a piece that is there is given', async t => {
  const asked: string[] = []
  const base = await serve(t, async (sha256, index) => {
    asked.push(`${sha256 === SHA} ${index}`)
    return index === 0 ? Uint8Array.of(1, 2, 3) : null
  })
  t.equal(await statusOf(`${base}/ota/pieces/${SHA}/0`), 200)
  t.equal(await statusOf(`${base}/ota/pieces/${SHA}/1`), 404)
  for (const path of [
    '/',
    '/ota/pieces',
    `/ota/pieces/${SHA}`,
    `/ota/pieces/${SHA}/`,
    `/ota/pieces/${SHA}/00`,
    `/ota/pieces/${SHA}/-1`,
    `/ota/pieces/${SHA}/0/../../../etc/passwd`,
    `/ota/pieces/${SHA.toUpperCase()}/0`,
    `/ota/pieces/..%2f..%2fetc%2fpasswd/0`,
    `//ota/pieces/${SHA}/0`,
  ])
    t.equal(await statusOf(`${base}${path}`), 404, path)
  t.equal(await statusOf(`${base}/ota/pieces/${SHA}/0`, 'POST'), 405)
  t.same(asked, ['true 0', 'true 1'])
})

t.test('a disk that fails is an answer, not the end', async t => {
  const base = await serve(t, () => Promise.reject(new BoxError('storage.io', 'bad block')))
  t.equal(await statusOf(`${base}/ota/pieces/${SHA}/0`), 500)
})

t.test(
  'one who opens many connections, or asks much at once, does not shut others out',
  async t => {
    let release: () => void = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    let gateOfThird: () => void = () => {}
    let [now, most] = [0, 0]
    const base = await serve(t, async () => {
      most = Math.max(most, ++now)
      await gate
      now--
      return new Uint8Array(10)
    })
    const sockets = Array.from({ length: 20 }, () =>
      createConnection({ host: '127.0.0.1', port: Number(new URL(base).port) }),
    )
    const closed = sockets.map(
      socket =>
        new Promise<void>(resolve => {
          socket.on('error', () => {})
          socket.on('close', () => resolve())
        }),
    )
    await Promise.any(closed)
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
    let refusals = 0
    const isFull = new Promise<void>(resolve => {
      gateOfThird = () => {
        if (++refusals === 3) resolve()
      }
    })
    const answers = Array.from({ length: 7 }, async () => {
      const status = await statusOf(`${base}/ota/pieces/${SHA}/0`)
      if (status === 503) gateOfThird()
      return status
    })
    await isFull
    release()
    t.same((await Promise.all(answers)).sort(), [200, 200, 200, 200, 503, 503, 503])
    t.equal(most, 4)
  },
)

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

t.test('a port that is taken is said', async t => {
  const base = await serve(t, async () => null)
  const port = Number(new URL(base).port)
  await t.rejects(
    new LinuxPeerLink({ ...options, port }).serve(async () => null),
    {
      code: 'port.taken',
    },
  )
})

t.test(
  'of its addresses a box tells those that others would go to, the likeliest first',
  async t => {
    const at = (address: string, family: 'IPv4' | 'IPv6', internal = false) => {
      const of = { address, internal, netmask: '', mac: '', cidr: null }
      return family === 'IPv4' ? { ...of, family } : { ...of, family, scopeid: 0 }
    }
    const interfaces = {
      lo: [at('127.0.0.1', 'IPv4', true), at('::1', 'IPv6', true)],
      docker0: [at('172.17.0.1', 'IPv4')],
      eth0: [at('2001:db8::7', 'IPv6'), at('fe80::1', 'IPv6'), at('fd00::7', 'IPv6')],
      usb0: [at('10.55.0.1', 'IPv4')],
      wlan0: [at('fe80::2', 'IPv6'), at('192.168.4.17', 'IPv4')],
      ppp0: [at('8.8.4.4', 'IPv4')],
    }
    const all = ['192.168.4.17', 'fd00::7', '172.17.0.1', '10.55.0.1']
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

t.test('a box is found at whichever of its addresses it answers', async t => {
  const other = await serve(t, async () => null)
  const right = await serve(t, async () => Uint8Array.of(1, 2, 3))
  const silent = createServer(socket => socket.on('error', () => {}))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const address = silent.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const addresses = [`http://127.0.0.1:${port}`, other, 'http://127.0.0.1:1024', right]
  const source = new LinuxPeerLink(options).sourceAt('box', addresses)
  const ask = { sha256: SHA, target: '', byteCount: 3, pieceByteCount: 3, from: 0, to: 3 }
  const got: number[] = []
  const take = async (_: number, bytes: Uint8Array): Promise<boolean> => got.push(...bytes) > 0
  await source?.ask(ask, take).done
  const beginMs = Date.now()
  await source?.ask(ask, take).done
  t.same(got, [1, 2, 3, 1, 2, 3])
  t.ok(Date.now() - beginMs < 2_000, 'and stays there')
})

t.test('a box that has enough to do is not one that fails', async t => {
  let release: () => void = () => {}
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const base = await serve(t, async () => {
    await gate
    return Uint8Array.of(1)
  })
  const ask = { sha256: SHA, target: '', byteCount: 1, pieceByteCount: 1, from: 0, to: 1 }
  const source = new LinuxPeerLink(options).sourceAt('box', [base])
  let busy = 0
  const codeOf = async (): Promise<string> => {
    try {
      await source?.ask(ask, async () => true).done
      return 'gave'
    } catch (error) {
      if (++busy === 3) release()
      return error instanceof BoxError ? error.code : String(error)
    }
  }
  const codes = await Promise.all(Array.from({ length: 7 }, codeOf))
  t.same(codes.sort(), [...Array(3).fill('fetch.busy'), ...Array(4).fill('gave')])
})
