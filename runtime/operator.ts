/**
 * Who may operate a box that nobody has provisioned yet: one account, made from chance at the first start and kept in
 * the box's state folder, readable by its owner only. Provisioning replaces it.
 */
import { hexOf } from './core/hex.js'
import { check, type Of, object, pattern, string } from './core/schema.js'
import type { Files } from './ports/files.js'
import type { Keys } from './ports/keys.js'

const FILE = 'operator.json'
/** 32 of them, so that a byte chooses each as often; none that is read as another. */
const PASSWORD_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
const PASSWORD_LENGTH = 16
const TOKEN_BYTES = 24

export const operatorSchema = object({
  username: string({ min: 1, max: 64 }),
  /** For MQTT clients. */
  password: string({ min: 12, max: 128 }),
  /** For the page and the command line. */
  token: pattern(/^[0-9a-f]{32,128}$/, 'hexadecimal digits'),
})

export type Operator = Of<typeof operatorSchema>

/** @throws ConfigError when the file was edited into something else; delete it to have a new one made. */
export async function readOrMakeOperator(files: Files, keys: Keys): Promise<Operator> {
  const bytes = await files.read(FILE)
  if (bytes !== null) return check(operatorSchema, readJson(bytes), FILE)
  const operator = makeOperator(keys)
  await files.replace(FILE, new TextEncoder().encode(`${JSON.stringify(operator, null, 2)}\n`))
  return operator
}

function makeOperator(keys: Keys): Operator {
  const letters = [...keys.randomBytes(PASSWORD_LENGTH)]
  const password = letters.map(byte => PASSWORD_LETTERS[byte % PASSWORD_LETTERS.length]).join('')
  const token = hexOf(keys.randomBytes(TOKEN_BYTES))
  return { username: 'operator', password, token }
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // Not JSON: the schema says what it should be.
    return null
  }
}
