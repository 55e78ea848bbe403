import t from 'tap'
import { NutServer } from '../../../runtime/gateways/nut/nut-server.js'
import { aPack, connect, onBattery, onMains, openServer, power } from './nut-world.js'

t.test('whoever asks is told what the bus said last', async t => {
  const { bus, server } = await openServer(t)
  const peer = await connect(t, server.port)
  peer.say('GET VAR lobby ups.status\n')
  t.same(await peer.lines(1), ['ERR DATA-STALE'])
  bus.publish('power/state', onMains)
  bus.publish('battery/state', aPack)
  peer.say('GET VAR lobby ups.status\nGET VAR lobby battery.charge\n')
  t.same(await peer.lines(2), ['VAR lobby ups.status "OL CHRG"', 'VAR lobby battery.charge "87.3"'])
  bus.publish('power/state', { ...onBattery, stage: 'protect', percent: 9 })
  peer.say('GET VAR lobby ups.status\nGET VAR lobby battery.charge\n')
  t.same(await peer.lines(2), [
    'VAR lobby ups.status "OB LB DISCHRG"',
    'VAR lobby battery.charge "9"',
  ])
})

t.test('requests may come in any pieces, also with line ends of Windows', async t => {
  const { bus, server } = await openServer(t)
  bus.publish('power/state', onMains)
  const peer = await connect(t, server.port)
  for (const letter of 'GET VAR lobby ups.mfr\r\n\n  \nNETVER\n') peer.say(letter)
  t.same(await peer.lines(2), ['VAR lobby ups.mfr "Roadcase"', '1.3'])
})

t.test('those who have logged in are counted until they are gone', async t => {
  const { bus, server } = await openServer(t)
  bus.publish('power/state', onMains)
  const [monitor, other] = [await connect(t, server.port), await connect(t, server.port)]
  monitor.say('USERNAME monitor\nPASSWORD secret\nLOGIN lobby\n')
  t.same(await monitor.lines(3), ['OK', 'OK', 'OK'])
  other.say('GET NUMLOGINS lobby\nLIST CLIENT lobby\n')
  t.same(await other.lines(4), [
    'NUMLOGINS lobby 1',
    'BEGIN LIST CLIENT lobby',
    'CLIENT lobby 127.0.0.1',
    'END LIST CLIENT lobby',
  ])
  monitor.say('LOGOUT\nGET VAR lobby ups.status\n')
  t.same(await monitor.lines(1), ['OK Goodbye'])
  await monitor.closed
  t.match(monitor.heard(), /OK Goodbye\n$/, 'and nothing is answered after it')
  other.say('GET NUMLOGINS lobby\n')
  t.same(await other.lines(1), ['NUMLOGINS lobby 0'])
})

t.test('sixteen are served, the next is hung up on, and told about once a minute', async t => {
  const { clock, log, server } = await openServer(t)
  const peers = []
  for (let count = 0; count < 16; count++) peers.push(await connect(t, server.port))
  for (const peer of peers) peer.say('NETVER\n')
  for (const peer of peers) t.same(await peer.lines(1), ['1.3'])
  for (let count = 0; count < 3; count++) await (await connect(t, server.port)).closed
  t.same(log.events('warn'), ['nut.refused'])
  peers[0]?.socket.destroy()
  const isServed = async (): Promise<boolean> => {
    const peer = await connect(t, server.port)
    peer.say('NETVER\n')
    await Promise.race([peer.lines(1), peer.closed])
    return peer.heard() === '1.3\n'
  }
  let tries = 0
  while (!(await isServed()) && tries < 100) tries++
  t.ok(tries < 100, 'its place is free again')
  t.equal(log.events('warn').length, 1)
  await clock.advance(60_000)
  while (log.events('warn').length === 1 && tries < 200) {
    tries++
    await connect(t, server.port)
  }
  t.ok(Number(log.lines.at(-1)?.facts['count']) >= 3, 'those that were not told are counted')
})

t.test('who says nothing for a minute is hung up on, and half a line is nothing', async t => {
  const { clock, log, server } = await openServer(t)
  const [silent, slow, busy] = [
    await connect(t, server.port),
    await connect(t, server.port),
    await connect(t, server.port),
  ]
  for (const peer of [silent, slow, busy]) {
    peer.say('NETVER\n')
    await peer.lines(1)
  }
  for (let second = 0; second < 62; second++) {
    if (second % 20 === 0) {
      slow.say('G')
      busy.say('NETVER\n')
      await busy.lines(1)
    }
    await clock.advance(1_000)
  }
  await Promise.all([silent.closed, slow.closed])
  busy.say('NETVER\n')
  t.same(await busy.lines(1), ['1.3'])
  t.match(
    log.lines.filter(line => line.level === 'warn'),
    [{ facts: { reason: 'idle' } }],
  )
})

t.test('fifty requests a second are answered, and the rest in the next one', async t => {
  const { clock, server } = await openServer(t)
  const peer = await connect(t, server.port)
  peer.say('NETVER\n'.repeat(120))
  await peer.lines(50)
  const count = (): number => peer.heard().split('\n').length - 1
  // Whatever else was to come would come with a second server's answer.
  const other = await connect(t, server.port)
  other.say('NETVER\n')
  await other.lines(1)
  t.equal(count(), 50)
  await clock.advance(1_000)
  await peer.lines(50)
  await clock.advance(1_000)
  await peer.lines(20)
  t.equal(count(), 120)
  peer.say('VER\n')
  t.match(await peer.lines(1), [/^Roadcase/], 'and it goes on')
})

t.test('a line that does not end is hung up on', async t => {
  const { log, server } = await openServer(t)
  const peer = await connect(t, server.port)
  peer.say('x'.repeat(513))
  t.same(await peer.lines(1), ['ERR TOO-LONG'])
  await peer.closed
  t.match(log.lines, [{}, { event: 'nut.refused', facts: { reason: 'line too long' } }])
  const careful = await connect(t, server.port)
  careful.say(`${'x'.repeat(512)}\n`)
  t.same(await careful.lines(1), ['ERR UNKNOWN-COMMAND'])
})

t.test('a client that fetches no answers is hung up on', async t => {
  const { clock, bus, log, server } = await openServer(t)
  bus.publish('power/state', onMains)
  const peer = await connect(t, server.port)
  peer.socket.pause()
  const isOver = (): boolean => log.events('warn').length > 0
  for (let second = 0; second < 2_000 && !isOver(); second++) {
    peer.say('LIST VAR lobby\n'.repeat(50))
    await clock.advance(1_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  t.match(
    log.lines.filter(line => line.level === 'warn'),
    [{ facts: { reason: 'answers not fetched' } }],
  )
})

t.test('a port that is taken is said with the name of its setting', async t => {
  const { server } = await openServer(t)
  const other = openServer(t, { port: server.port, reach: 'loopback' })
  await t.rejects(other, { code: 'port.taken', message: /power\.nut\.port.*\d+/ })
})

t.test('it listens on this machine, or on every address when asked to', async t => {
  const loopback = await openServer(t)
  t.match(loopback.log.lines, [{ event: 'nut.listening', facts: { reach: 'loopback' } }])
  const venue = await openServer(t, { port: 0, reach: 'venue' })
  const peer = await connect(t, venue.server.port)
  peer.say('NETVER\n')
  t.same(await peer.lines(1), ['1.3'])
})

t.test('a server with clients stops at once, twice, and starts again', async t => {
  const { bus, server } = await openServer(t)
  const peer = await connect(t, server.port)
  peer.say('NETVER\n')
  await peer.lines(1)
  await server.stop()
  await peer.closed
  await server.stop()
  t.equal(server.port, 0)
  await server.start()
  bus.publish('power/state', onMains)
  const next = await connect(t, server.port)
  next.say('GET VAR lobby ups.status\n')
  t.same(await next.lines(1), ['VAR lobby ups.status "OL CHRG"'])
})

t.test('packs of two kinds have no type', async t => {
  const { clock, log, bus } = await openServer(t)
  const [pack] = power().packs
  if (pack === undefined) throw new Error('there is a pack')
  const server = new NutServer(clock, log, bus, {
    box: 'lobby',
    model: 'x',
    version: '1',
    power: power({ packs: [pack, { ...pack, name: 'spare', chemistry: 'lifepo4' }] }),
    listen: { port: 0, reach: 'loopback' },
  })
  t.teardown(() => server.stop())
  await server.start()
  bus.publish('power/state', onMains)
  const peer = await connect(t, server.port)
  peer.say('GET VAR lobby battery.type\nGET VAR lobby battery.charge.low\n')
  t.same(await peer.lines(2), ['ERR VAR-NOT-SUPPORTED', 'VAR lobby battery.charge.low "10"'])
})
