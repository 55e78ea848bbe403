/** Secrets of a person at a terminal, of a file, of a descriptor. */
import { chmodSync, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLibc } from '../../../drivers/linux/libc.js'
import { LinuxPassphrases } from '../../../drivers/linux/passphrases.js'
import { PseudoTerminal } from '../../ports/pseudo-terminal.js'

async function terminalOf(t: Test): Promise<{ far: PseudoTerminal; asked: LinuxPassphrases }> {
  const path = join(t.testdir(), 'terminal')
  const far = new PseudoTerminal(await openLibc(), path)
  far.plug()
  t.teardown(() => far.unplug())
  return { far, asked: new LinuxPassphrases({ from: 'terminal', device: path }) }
}

const text = (far: PseudoTerminal): string => {
  far.read()
  return Buffer.from(far.arrived.all()).toString()
}

t.test('what is typed is taken with its corrections, and not shown', async t => {
  const { far, asked } = await terminalOf(t)
  const answer = asked.ask('the key anna')
  far.say(Buffer.from('horsf\u007fe bättery\r'))
  t.equal(await answer, 'horse bättery')
  t.match(text(far), /Passphrase of the key anna: /)
  t.notMatch(text(far), /horse/)
})

t.test('a new one is typed twice', async t => {
  for (const [second, isSame] of [
    ['correct horse', true],
    ['correct house', false],
  ] as const) {
    const { far, asked } = await terminalOf(t)
    const answer = asked.askNew('the new key anna').then(
      secret => secret,
      (error: Error) => error.message,
    )
    far.say(Buffer.from('correct horse\r'))
    while (!/, again: $/.test(text(far))) await new Promise(resolve => setImmediate(resolve))
    far.say(Buffer.from(`${second}\r`))
    t.match(await answer, isSame ? 'correct horse' : /not the same/)
  }
})

t.test('who gives up gives none, and where nobody is nobody is asked', async t => {
  const { far, asked } = await terminalOf(t)
  const answer = asked.ask('the key anna')
  far.say(Buffer.from('ab\u0003'))
  await t.rejects(answer, { code: 'key.given-up', message: /no passphrase was given/ })
  const folder = t.testdir({ plain: 'x' })
  for (const device of [join(folder, 'none'), join(folder, 'plain')])
    await t.rejects(new LinuxPassphrases({ from: 'terminal', device }).ask('x'), {
      code: 'key.denied',
      message: /--passphrase-file/,
    })
})

t.test('one that was wrong is asked for again, and says so, but not for ever', async t => {
  const { far, asked } = await terminalOf(t)
  for (const typed of ['first', 'second']) {
    const answer = asked.askAgain('the key anna')
    far.say(Buffer.from(`${typed}\r`))
    t.equal(await answer, typed)
  }
  t.match(text(far), /That was wrong. Passphrase of the key anna: /)
  t.equal(await asked.askAgain('the key anna'), null)
  const file = join(t.testdir({ secret: 'correct horse' }), 'secret')
  t.equal(await new LinuxPassphrases({ from: 'file', file }).askAgain('the key anna'), null)
})

t.test('a file gives its first line, and a descriptor too, more than once', async t => {
  const file = join(t.testdir({ secret: 'correct horse\nmore' }), 'secret')
  const fromFile = new LinuxPassphrases({ from: 'file', file })
  await t.rejects(fromFile.ask('x'), { code: 'key.denied', message: /chmod 600/ })
  chmodSync(file, 0o600)
  t.equal(await fromFile.ask('x'), 'correct horse')
  const descriptor = openSync(file, 'r')
  t.teardown(() => closeSync(descriptor))
  const fromDescriptor = new LinuxPassphrases({ from: 'descriptor', descriptor })
  t.equal(await fromDescriptor.ask('x'), 'correct horse')
  t.equal(await fromDescriptor.askNew('y'), 'correct horse')
})

t.test('an empty or endless secret is none', async t => {
  const file = join(t.testdir({ secret: '' }), 'secret')
  chmodSync(file, 0o600)
  for (const secret of ['', '\nx', 'x'.repeat(2000)]) {
    writeFileSync(file, secret)
    await t.rejects(new LinuxPassphrases({ from: 'file', file }).ask('x'), { code: 'key.denied' })
  }
})
