import { ConfigError, type Problem } from '../../core/errors.js'
import { isSafeName } from './grants.js'
import { isPasswordHash } from './password.js'
import type { Credential } from './password-check.js'

/** @throws ConfigError for a user who cannot be, or is there twice */
export function refuseBadCredentials(credentials: readonly Credential[]): void {
  const seen = new Set<string>()
  const problems = credentials.flatMap(({ username, passwordHash }, index): Problem[] => {
    const path = `credentials[${index}]`
    const found: Problem[] = []
    if (!isSafeName(username))
      found.push({
        path: `${path}.username`,
        message: 'must be letters, digits, dots, dashes and underscores, at most 64',
        place: null,
      })
    if (seen.has(username))
      found.push({ path: `${path}.username`, message: `"${username}" is there twice`, place: null })
    if (passwordHash !== null && !isPasswordHash(passwordHash))
      found.push({ path: `${path}.passwordHash`, message: 'must be a scrypt hash', place: null })
    seen.add(username)
    return found
  })
  if (problems.length > 0) throw new ConfigError(problems)
}
