import { scryptSync } from 'node:crypto'
import t from 'tap'
import { SimulatedKeys } from '../../../drivers/simulated/keys.js'
import { randomFrom } from '../../../runtime/core/random.js'
import {
  hashPassword,
  isPasswordHash,
  verifyPassword,
} from '../../../runtime/gateways/broker/password.js'
import { PasswordCheck } from '../../../runtime/gateways/broker/password-check.js'

const bytes = (text: string): Buffer => Buffer.from(text)
const asking = { address: '10.0.0.1', isWanted: () => true }

t.test('a password fits its hash, and no other does', async t => {
  const hash = await hashPassword('pässword')
  t.match(hash, /^scrypt\$16384\$8\$1\$/)
  t.equal(await verifyPassword(bytes('pässword'), hash), true)
  t.equal(await verifyPassword(bytes('password'), hash), false)
  t.not(await hashPassword('pässword'), hash, 'each hash has its own salt')
})

t.test('the hash is scrypt with the numbers it names', async t => {
  const salt = bytes('SodiumChloride')
  const key = scryptSync('pleaseletmein', salt, 64, { N: 16_384, r: 8, p: 1 })
  // RFC 7914, section 12, third vector.
  t.equal(key.toString('hex').slice(0, 32), '7023bdcb3afd7348461c06cd81fd38eb')
  const hash = `scrypt$16384$8$1$${salt.toString('base64')}$${key.toString('base64')}`
  t.equal(await verifyPassword(bytes('pleaseletmein'), hash), true)
})

t.test('a hash that is no hash fits nothing', async t => {
  const good = await hashPassword('x')
  for (const hash of [
    '',
    'x',
    good.replace('scrypt', 'bcrypt'),
    good.replace('16384', '16383'),
    good.replace('16384', '1073741824'),
    `${good}$more`,
    'scrypt$16384$8$1$$',
  ]) {
    t.equal(isPasswordHash(hash), false, hash)
    t.equal(await verifyPassword(bytes('x'), hash), false, hash)
  }
})

t.test('a user is found by the right password only, the second time from memory', async t => {
  const passwordHash = await hashPassword('right')
  const check = new PasswordCheck(new SimulatedKeys(randomFrom(1)), [
    { username: 'operator', role: 'operate', passwordHash },
    { username: 'certified', role: 'driver', passwordHash: null },
  ])
  t.match(await check.check('operator', bytes('right'), asking), { role: 'operate' })
  t.equal(await check.check('operator', bytes('wrong'), asking), null)
  t.equal(await check.check('nobody', bytes('right'), asking), null)
  t.equal(
    await check.check('certified', bytes(''), asking),
    null,
    'who has no password cannot give one',
  )
  t.equal(await check.check('operator', Buffer.alloc(5_000), asking), null)
  const order: string[] = []
  const note = (name: string) => (): void => void order.push(name)
  await Promise.all([
    check.check('operator', bytes('a'), asking).then(note('guess')),
    check.check('operator', bytes('b'), asking).then(note('guess')),
    check.check('operator', bytes('right'), asking).then(note('remembered')),
  ])
  t.same(order, ['remembered', 'guess', 'guess'], 'scrypt did not run for it')
})

/** As cheap as may be: where the order counts and not the cost. */
function cheapCheck(): PasswordCheck {
  const salt = bytes('a salt for all')
  const key = scryptSync('right', salt, 32, { N: 2, r: 1, p: 1 })
  const passwordHash = `scrypt$2$1$1$${salt.toString('base64')}$${key.toString('base64')}`
  return new PasswordCheck(new SimulatedKeys(randomFrom(1)), [
    { username: 'operator', role: 'operate', passwordHash },
  ])
}

t.test('who guesses does not keep another address waiting', async t => {
  const check = cheapCheck()
  const order: string[] = []
  const guesses = Array.from({ length: 18 }, (_, n) =>
    check.check('operator', bytes(`guess ${n}`), asking).then(() => void order.push('guess')),
  )
  const honest = check
    .check('operator', bytes('right'), { ...asking, address: '10.0.0.2' })
    .then(() => void order.push('honest'))
  await Promise.all([...guesses, honest])
  t.ok(order.indexOf('honest') < 6, `its turn was ${order.indexOf('honest')}`)
})

t.test(
  'passwords are checked up to a bound per address and in all, the rest is turned away',
  async t => {
    const check = cheapCheck()
    const storm = Array.from({ length: 300 }, (_, n) =>
      check.check('operator', bytes(`storm ${n}`), asking),
    )
    t.equal((await Promise.all(storm)).filter(found => found === null).length, 2 + 16)
    const wide = Array.from({ length: 600 }, (_, n) =>
      check.check('operator', bytes(`wide ${n}`), { ...asking, address: `10.0.1.${n % 200}` }),
    )
    t.equal((await Promise.all(wide)).filter(found => found === null).length, 2 + 256)
  },
)

t.test('nothing is computed for a client that has left', async t => {
  const gone = { ...asking, isWanted: () => false }
  t.equal(await cheapCheck().check('operator', bytes('right'), gone), 'busy')
})
