/**
 * Who speaks for a target: a walk through the delegations, the first named first and each with all below it (TUF 1.0,
 * section 5.6.7).
 */
import type { Verifier } from '../../runtime/ports/verifier.js'
import type { Authority, Document, Entry, TargetsBody } from './metadata.js'
import { matchesPattern } from './paths.js'

/** Targets and 32 below it, as with other clients: so that nobody who may delegate can keep a box busy. */
export const ROLES_VISITED_MAX = 33

interface Step {
  readonly role: string
  readonly authority: Authority
}

export interface Search {
  readonly entry: Entry | null
  /** In the order of the walk, the one that has it last. */
  readonly roles: readonly string[]
}

/** @param load the metadata of a role as this delegator wants it; what it throws ends the search */
export async function search(
  path: string,
  top: Document<TargetsBody>,
  ports: {
    readonly verifier: Verifier
    readonly load: (role: string, authority: Authority) => Promise<Document<TargetsBody>>
  },
): Promise<Search> {
  const visited = new Set<string>(['targets'])
  let document = top
  let waiting: Step[] = []
  for (;;) {
    const entry = document.body.entries.get(path)
    if (entry !== undefined) return { entry, roles: [...visited] }
    const { steps, isLast } = delegationsFor(path, document.body, ports.verifier)
    waiting = [...steps, ...(isLast ? [] : waiting)]
    const next = nextOf(waiting, visited)
    if (next === null || visited.size >= ROLES_VISITED_MAX)
      return { entry: null, roles: [...visited] }
    waiting = next.rest
    visited.add(next.step.role)
    document = await ports.load(next.step.role, next.step.authority)
  }
}

function nextOf(
  waiting: readonly Step[],
  visited: ReadonlySet<string>,
): { step: Step; rest: Step[] } | null {
  const at = waiting.findIndex(({ role }) => !visited.has(role))
  const step = waiting[at]
  return step === undefined ? null : { step, rest: waiting.slice(at + 1) }
}

/** Whom this role lets speak of the path; after a terminating one nobody else is asked, here or above. */
function delegationsFor(
  path: string,
  { delegations, bins }: TargetsBody,
  verifier: Verifier,
): { steps: Step[]; isLast: boolean } {
  const hash = verifier.digestHex('sha256', new TextEncoder().encode(path)) ?? ''
  if (bins !== null) {
    const letterCount = Math.ceil(bins.bitCount / 4)
    const number = Number.parseInt(hash.slice(0, 8), 16) >>> (32 - bins.bitCount)
    const suffix = number.toString(16).padStart(letterCount, '0')
    return { steps: [{ role: `${bins.prefix}-${suffix}`, authority: bins }], isLast: true }
  }
  const steps: Step[] = []
  for (const delegation of delegations) {
    const isFor =
      delegation.patterns.some(pattern => matchesPattern(path, pattern)) ||
      delegation.hashPrefixes.some(prefix => hash.startsWith(prefix.toLowerCase()))
    if (!isFor) continue
    steps.push({ role: delegation.name, authority: delegation })
    if (delegation.isTerminating) return { steps, isLast: true }
  }
  return { steps, isLast: false }
}
