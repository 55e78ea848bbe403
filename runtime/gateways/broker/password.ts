/** Passwords are kept as scrypt hashes (RFC 7914) and compared in constant time. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** 16 MiB and some 50 ms on a Pi 4: dear for a guesser, bearable at a connection. */
const COST = 16_384
const BLOCK_SIZE = 8
const KEY_BYTES = 32
const COST_MAX = 1 << 17
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
export const PASSWORD_BYTES_MAX = 1024

interface Recipe {
  readonly cost: number
  readonly blockSize: number
  readonly parallel: number
  readonly salt: Buffer
  readonly key: Buffer
}

/** `scrypt$<cost>$<block size>$<parallel>$<salt>$<key>`, the last two in base64. A new salt each time. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(Buffer.from(password), {
    cost: COST,
    blockSize: BLOCK_SIZE,
    parallel: 1,
    salt,
    key: Buffer.alloc(KEY_BYTES),
  })
  return ['scrypt', COST, BLOCK_SIZE, 1, salt.toString('base64'), key.toString('base64')].join('$')
}

/** False for a wrong password, and for a hash that is not of the form above. Takes the same time for both passwords. */
export async function verifyPassword(password: Uint8Array, hash: string): Promise<boolean> {
  const recipe = parse(hash)
  if (!recipe || password.length > PASSWORD_BYTES_MAX) return false
  return timingSafeEqual(await derive(password, recipe), recipe.key)
}

export const isPasswordHash = (hash: string): boolean => parse(hash) !== null

function parse(hash: string): Recipe | null {
  const [scheme, cost, blockSize, parallel, salt, key, ...more] = hash.split('$')
  if (scheme !== 'scrypt' || salt === undefined || key === undefined || more.length > 0) return null
  const recipe = {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallel: Number(parallel),
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  }
  const isSound =
    isWithin(recipe.cost, 2, COST_MAX) &&
    Number.isInteger(Math.log2(recipe.cost)) &&
    isWithin(recipe.blockSize, 1, 16) &&
    isWithin(recipe.parallel, 1, 4) &&
    isWithin(recipe.salt.length, 8, 64) &&
    isWithin(recipe.key.length, 16, 64)
  return isSound ? recipe : null
}

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max

function derive(password: Uint8Array, recipe: Recipe): Promise<Buffer> {
  const { cost, blockSize, parallel, salt, key } = recipe
  return new Promise((resolve, reject) =>
    scrypt(
      password,
      salt,
      key.length,
      { N: cost, r: blockSize, p: parallel, maxmem: MEMORY_BYTES_MAX },
      (error, derived) => (error ? reject(error) : resolve(derived)),
    ),
  )
}
