import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HttpBoxLink } from '../../runtime/cli/box-link.js'
import { openPage, TOKEN } from '../gateways/page/page-world.js'
import { type } from './cli-world.js'

async function stateFolder(t: Test, control: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'control.json')
  await writeFile(file, typeof control === 'string' ? control : JSON.stringify(control))
  await chmod(file, 0o600)
  return folder
}

/** Something on loopback that is not a whole box. @returns its state folder */
async function impostor(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return stateFolder(t, { url: `http://127.0.0.1:${port}`, token: TOKEN })
}

const bodyOf = async (request: IncomingMessage): Promise<{ id?: string }> => {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text)
}

const link = (folder: string): HttpBoxLink => new HttpBoxLink(folder)

t.test('a command reaches a running box through its control file', async t => {
  const { page, heard, bus } = await openPage(t)
  bus.publish('box/availability', { state: 'ready', boot: 1 })
  const folder = await stateFolder(t, { url: page.url, token: TOKEN })
  const typed = await type(['go', '--json', '--state', folder], { link })
  t.match(JSON.parse(typed.out), { isAccepted: true })
  t.match(heard, [{ action: 'go', origin: 'api/127.0.0.1' }])
  t.match((await type(['status', '--state', folder], { link })).out, /Simulated board, ready/)
  t.match(await type(['logs', '--state', folder], { link }), { exitCode: 0, out: '' })
})

t.test('what the box refuses ends with 4 and its reason', async t => {
  const { page } = await openPage(t, {}, ({ id, origin }) => ({
    id,
    origin,
    isAccepted: false,
    code: 'command.refused',
    message: 'the show is not armed',
  }))
  const folder = await stateFolder(t, { url: page.url, token: TOKEN })
  t.match(await type(['go', '--state', folder], { link }), {
    exitCode: 4,
    error: 'roadcase: the show is not armed (command.refused)\n',
  })
  t.match(await type(['goto', '../x', '--state', folder], { link }), {
    exitCode: 4,
    error: /command\.cue: must be letters/,
  })
  const stale = await stateFolder(t, { url: page.url, token: `${TOKEN}-of-another` })
  t.match(await type(['go', '--state', stale], { link }), { exitCode: 4, error: /this token/ })
})

t.test('a box that is not there ends with 5 and says what to do', async t => {
  t.match(await type(['go', '--state', '/nonexistent'], { link }), {
    exitCode: 5,
    error: /\/nonexistent\/control.json: it is not there. Start one with "roadcase run"/,
  })
  const { page } = await openPage(t)
  const folder = await stateFolder(t, { url: page.url, token: TOKEN })
  await page.stop()
  t.match(await type(['status', '--state', folder], { link }), {
    exitCode: 5,
    error: /no box listens at http:\/\/127.0.0.1:\d+. Start one with "roadcase run"/,
  })
})

t.test('nobody is told to start a second box beside a launcher', async t => {
  const { page } = await openPage(t)
  const state = await stateFolder(t, { url: page.url, token: TOKEN })
  await page.stop()
  const home = await mkdtemp(join(tmpdir(), 'roadcase-'))
  t.teardown(() => rm(home, { recursive: true }))
  await mkdir(join(home, 'slots'))
  for (const folder of [join(home, 'state'), join(home, 'old')]) {
    if (folder.endsWith('old')) await rename(state, folder)
    const { error } = await type(['status', '--state', folder], { link })
    t.match(error, /the launcher starts it, and its log says why it does not come up/)
    t.notMatch(error, /roadcase run/)
  }
  await mkdir(state)
})

t.test('a control file that leads elsewhere is not followed', async t => {
  for (const control of ['{', { url: 'http://evil.test:80', token: TOKEN }, {}]) {
    const folder = await stateFolder(t, control)
    t.match(await type(['go', '--state', folder], { link }), { exitCode: 5 })
  }
})

t.test('a command whose answer was lost is asked again with the same id', async t => {
  const ids: (string | undefined)[] = []
  const folder = await impostor(t, (request, response) => {
    void bodyOf(request).then(({ id }) => {
      ids.push(id)
      if (ids.length < 3) return void response.destroy()
      response.end(JSON.stringify({ id, isAccepted: true, code: null, message: null }))
    })
  })
  t.match(await type(['go', '--state', folder], { link }), { exitCode: 0 })
  t.equal(ids.length, 3)
  t.equal(new Set(ids).size, 1)
})

t.test('asking again ends after three tries', async t => {
  let tries = 0
  const folder = await impostor(t, (_, response) => {
    tries++
    response.destroy()
  })
  t.match(await type(['go', '--state', folder], { link }), {
    exitCode: 5,
    error: /does not answer/,
  })
  t.equal(tries, 3)
})

t.test('a box that is too slow is asked again and then given up', async t => {
  let tries = 0
  const folder = await impostor(t, (_, response) => {
    tries++
    response.writeHead(504).end('{"code":"service.timeout","message":"no answer within 5000 ms"}')
  })
  t.match(await type(['go', '--state', folder], { link }), { exitCode: 5, error: /no answer/ })
  t.equal(tries, 3)
})

t.test('something else on that port is not taken for a box', async t => {
  const folder = await impostor(t, (_, response) => void response.end('<h1>It works!</h1>'))
  for (const command of ['go', 'status', 'logs'])
    t.match(await type([command, '--state', folder], { link }), { exitCode: 5, error: /not a box/ })
})

t.test('log lines are followed until the box ends', async t => {
  const folder = await impostor(t, (request, response) => {
    if (request.url?.startsWith('/api/logs')) return void response.end('{"lines":[]}')
    const payload = { wallMs: 1, level: 'info', event: 'cue.fired', facts: { cue: '2' } }
    response.write(
      `event: snapshot\ndata: {}\n\nevent: log\ndata: ${JSON.stringify({ payload })}\n\n`,
    )
    response.end()
  })
  const typed = await type(['logs', '--follow', '--state', folder], { link })
  t.match(typed, { exitCode: 5, out: /cue.fired cue=2\n$/, error: /the box ended/ })
})
