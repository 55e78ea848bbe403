/**
 * What somebody is about to sign, in words: what is new, changed and gone against what is published. Read on the machine that
 * has the key, and believed there.
 */
import { delegatedAuthority, isSignedBy, missingOf, rootAuthority } from './authority.js'
import { authoritiesOf, type Change } from './change.js'
import type { Document, RoleKeys, Root, Targets } from './documents.js'
import { isMajority } from './roles.js'
import { missingText } from './signing.js'
import { targetWords } from './target-words.js'

/** One line each. @param nameOf what a key is called here */
export function draftWords(change: Change, nameOf: (keyid: string) => string): string[] {
  const { base, root, roles } = change
  const lines: string[] = unsignedWords(change)
  const [before, after] = [base?.root.signed ?? null, root?.signed ?? null]
  if (after !== null) lines.push(...rootWords(before, after, nameOf))
  for (const [role, { signed }] of roles) {
    const old = role === 'targets' ? base?.targets : base?.roles.get(role)
    lines.push(versionText(role, signed, old?.signed ?? null))
    lines.push(...delegationWords(signed, old?.signed ?? null, nameOf))
    lines.push(...targetWords(signed.targets, old?.signed.targets ?? null, change.documents))
  }
  if (change.whyWeaker !== null)
    lines.push(`fewer shall sign than more than half, because: ${JSON.stringify(change.whyWeaker)}`)
  if (change.isOldKeyLost)
    lines.push('the old keys are taken for lost: boxes refuse what only they have signed at once')
  return lines
}

/** Whoever made the draft says what was before, and may have made it up. */
function unsignedWords({ base }: Change): string[] {
  if (base === null) return []
  const { version } = base.root.signed
  const words: string[] = []
  if (!isSignedBy(base.targets, rootAuthority(base.root.signed, 'targets')))
    words.push(`what this says of targets before is not signed by those of root ${version}`)
  for (const [role, document] of base.roles) {
    const authority = delegatedAuthority(base.targets.signed, role)
    if (authority === null || !isSignedBy(document, authority))
      words.push(`what this says of ${role} before is not signed by those of the targets before`)
  }
  return words
}

const versionText = (role: string, next: Root | Targets, old: Root | Targets | null): string =>
  `${role} ${next.version}${old === null ? '' : ` after ${old.version}`}, until ${next.expires}`

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
  const lines = [versionText('root', after, before)]
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    const [old, next] = [before?.roles[role] ?? null, after.roles[role]]
    const words = `  ${role}: ${holdersText(next, nameOf)}${changeText(old, next, nameOf)}`
    lines.push(`${words}${weaknessText(role, old, next)}`)
  }
  return lines
}

/** Where one thief is enough, or two parties can sign against each other, and it was not so before. */
function weaknessText(role: string, old: RoleKeys | null, next: RoleKeys): string {
  const wasMajority = old === null || isMajority(old, old.keyids.length)
  const isPeople = role === 'root' || (role === 'targets' && wasMajority)
  return isPeople && !isMajority(next, next.keyids.length) ? ': not more than half' : ''
}

function delegationWords(
  signed: Targets,
  before: Targets | null,
  nameOf: (keyid: string) => string,
): string[] {
  const lines: string[] = []
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
  return [...lines, ...gone.map(({ name }) => `  ${name}: taken away`)]
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
