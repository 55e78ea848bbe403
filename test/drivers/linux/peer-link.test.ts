import { get } from 'node:http'
import { createConnection, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { LinuxPeerLink } from '../../../drivers/linux/peer-link.js'
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
