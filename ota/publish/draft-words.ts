/**
 * What somebody is about to sign, in words: what is new, changed and gone against what is published. Read on the machine that
 * has the key, and believed there.
 */
import { spokenKeyid } from '../keys/keyid.js'
import {
  type Authority,
  delegatedAuthority,
  isSignedBy,
  missingOf,
  rootAuthority,
  signedBy,
} from './authority.js'
import { authoritiesOf, type Change } from './change.js'
import type { Document, RoleKeys, Root, Targets } from './documents.js'
import { isMajority } from './roles.js'
import { missingText } from './signing.js'
import { targetWords } from './target-words.js'

/** One line each. @param nameOf what a key is called here, and `spokenKeyid` of one that is not known */
export function draftWords(change: Change, nameOf: (keyid: string) => string): string[] {
  const { base, root, roles } = change
  const lines: string[] = unsignedWords(change)
  const [before, after] = [base?.root.signed ?? null, root?.signed ?? null]
  if (after !== null) {
    const [title = '', ...rest] = rootWords(before, after, nameOf)
    lines.push(title, ...beforeWords('root', change, nameOf), ...rest)
  }
  for (const [role, { signed }] of roles) {
    const old = role === 'targets' ? base?.targets : base?.roles.get(role)
    lines.push(versionText(role, signed, old?.signed ?? null))
    lines.push(...beforeWords(role, change, nameOf))
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

/**
 * Who vouches for what was before. That a draft has a root whose keys have signed all of it says nothing: anybody can make
 * a root. That there are names known here among the signatures, does.
 */
function beforeWords(role: string, change: Change, nameOf: (keyid: string) => string): string[] {
  const next = role === 'root' ? change.root : change.roles.get(role)
  const before = beforeOf(role, change)
  if (before === null || next === undefined || next === null) return []
  const { document, authority } = before
  const { version } = document.signed
  const lines: string[] = []
  if (next.signed.version !== version + 1)
    lines.push(
      `  ${role} ${next.signed.version} leaves out versions: after ${version} comes ${version + 1}`,
    )
  const signed = signedBy(document, authority)
  if (signed.length > 0) lines.push(`  ${version} is signed by ${signed.map(nameOf).join(', ')}`)
  if (signed.every(keyid => nameOf(keyid) === spokenKeyid(keyid)))
    lines.push(
      `  what this says of ${role} before is signed by strangers only: "keys import" those of the others, or compare the digits`,
    )
  return lines
}

function beforeOf(
  role: string,
  { base }: Change,
): { document: Document<Root | Targets>; authority: Authority } | null {
  if (base === null) return null
  const { root, targets, roles } = base
  if (role === 'root') return { document: root, authority: rootAuthority(root.signed, role) }
  if (role === 'targets') return { document: targets, authority: rootAuthority(root.signed, role) }
  const document = roles.get(role)
  const authority = delegatedAuthority(targets.signed, role)
  return document === undefined || authority === null ? null : { document, authority }
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
  if (old === null) return ' (new)'
  const isSame =
    old.threshold === next.threshold &&
    [...old.keyids].sort().join() === [...next.keyids].sort().join()
  return isSame ? '' : `, was ${holdersText(old, nameOf)}`
}
