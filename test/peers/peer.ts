/** Standard programs that tests run against. Without one its test is skipped, with the reason; in the gate it fails. */
import { execFileSync } from 'node:child_process'

export function skipWithout(program: string): { readonly skip: string | false } {
  const isHere = has(program)
  return { skip: isHere || process.env['CI'] !== undefined ? false : `${program} is not installed` }
}

function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    // Then it is not there.
    return false
  }
}
