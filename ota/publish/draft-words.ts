/** What somebody is about to sign, in words: read on the machine that has the key, and believed there. */
import { isSignedBy, missingOf, rootAuthority } from './authority.js'
import { authoritiesOf, type Change } from './change.js'
import type { Document, RoleKeys, Root, Targets } from './documents.js'
import { missingText } from './signing.js'

const TARGETS_SHOWN_MAX = 20

/** One line each. @param nameOf what a key is called here */
export function draftWords(change: Change, nameOf: (keyid: string) => string): string[] {
  const { base, root, roles } = change
  const lines: string[] = []
  const [before, after] = [base?.root.signed ?? null, root?.signed ?? null]
  if (base !== null && !isSignedBy(base.targets, rootAuthority(base.root.signed, 'targets')))
    lines.push(`what this says of targets before is not signed by those of root ${before?.version}`)
  if (after !== null) lines.push(...rootWords(before, after, nameOf))
  for (const [role, { signed }] of roles)
    lines.push(
      ...roleWords(
        role,
        signed,
        role === 'targets' ? (base?.targets.signed ?? null) : null,
        nameOf,
      ),
    )
  if (change.isOldKeyLost)
    lines.push('the old keys are taken for lost: boxes refuse what only they have signed at once')
  return [...lines, ...missingWords(change, nameOf)]
}

/** What is still to be signed, and by whom; nothing when all is there. */
export function missingWords(change: Change, nameOf: (keyid: string) => string): string[] {
  const documents: [string, Document<Root | Targets>][] = [...change.roles]
  if (change.root !== null) documents.unshift(['root', change.root])
  return documents.flatMap(([role, document]) =>
    authoritiesOf(change, role).flatMap(authority => {
      const lack = missingOf(document, authority)
      return lack === null ? [] : [missingText(role, lack, nameOf)]
    }),
  )
}

function rootWords(before: Root | null, after: Root, nameOf: (keyid: string) => string): string[] {
  const lines = [`root ${after.version}, until ${after.expires}`]
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    const [old, next] = [before?.roles[role] ?? null, after.roles[role]]
    lines.push(`  ${role}: ${holdersText(next, nameOf)}${changeText(old, next, nameOf)}`)
  }
  return lines
}

function roleWords(
  role: string,
  signed: Targets,
  before: Targets | null,
  nameOf: (keyid: string) => string,
): string[] {
  const lines = [`${role} ${signed.version}, until ${signed.expires}`]
  for (const next of signed.delegations?.roles ?? []) {
    const old = before?.delegations?.roles.find(({ name }) => name === next.name) ?? null
    const paths = next.paths.join(', ')
    lines.push(
      `  ${next.name} (${paths}): ${holdersText(next, nameOf)}${changeText(old, next, nameOf)}`,
    )
  }
  const gone = (before?.delegations?.roles ?? []).filter(
    ({ name }) => !signed.delegations?.roles.some(next => next.name === name),
  )
  lines.push(...gone.map(({ name }) => `  ${name}: taken away`))
  const targets = Object.entries(signed.targets)
  for (const [path, { length }] of targets.slice(0, TARGETS_SHOWN_MAX))
    lines.push(`  ${path}, ${length} bytes`)
  if (targets.length > TARGETS_SHOWN_MAX)
    lines.push(`  and ${targets.length - TARGETS_SHOWN_MAX} more`)
  return lines
}

const holdersText = ({ keyids, threshold }: RoleKeys, nameOf: (keyid: string) => string): string =>
  `${threshold} of ${keyids.map(nameOf).join(', ')}`

function changeText(
  old: RoleKeys | null,
  next: RoleKeys,
  nameOf: (keyid: string) => string,
): string {
  if (old === null) return ', new'
  const isSame =
    old.threshold === next.threshold &&
    [...old.keyids].sort().join() === [...next.keyids].sort().join()
  return isSame ? '' : `, was ${holdersText(old, nameOf)}`
}
