/**
 * What shall become of a repository, before it is written: next versions of root, targets and delegated roles, with the
 * signatures that they have so far. It can be carried about as a file, to be signed where the keys are.
 */
import { BoxError } from '../../runtime/core/errors.js'
import {
  boolean,
  check,
  literal,
  nullable,
  object,
  string,
  table,
} from '../../runtime/core/schema.js'
import { spokenKeyid } from '../keys/keyid.js'
import type { KeyRing } from '../keys/ring.js'
import {
  type Authority,
  delegatedAuthority,
  isSignedBy,
  isTopRole,
  type Missing,
  rootAuthority,
} from './authority.js'
import {
  type Document,
  fileBytes,
  jsonOf,
  type Root,
  signedPart,
  type Targets,
  TOURS_MAX,
} from './documents.js'
import { checkEnclosed } from './enclosed.js'
import { requireFaithful } from './faithful.js'
import { weakerWhy } from './roles.js'
import { signFor } from './signing.js'

/** What the repository says now about who may sign, and what the roles that change have listed so far. */
export interface Base {
  readonly root: Document<Root>
  readonly targets: Document<Targets>
  /** Of the delegated roles that this change is about. */
  readonly roles: ReadonlyMap<string, Document<Targets>>
}

export interface Change {
  /** Null for a new repository. */
  readonly base: Base | null
  readonly root: Document<Root> | null
  /** By name, `targets` among them. */
  readonly roles: ReadonlyMap<string, Document<Targets>>
  /**
   * Those who held the keys that are replaced cannot sign any more: what they had signed counts no longer from the moment
   * that the new root is there, which therefore comes first.
   */
  readonly isOldKeyLost: boolean
  /** Why fewer must sign than more than half; null where that is not so. */
  readonly whyWeaker: string | null
  /**
   * By path, documents that are listed anew: what somebody signs is to be read, and a hash cannot be. They are in a draft
   * only.
   */
  readonly documents: ReadonlyMap<string, Uint8Array>
}

export interface SignedChange {
  readonly change: Change
  /** By role. */
  readonly missing: ReadonlyMap<string, readonly Missing[]>
  readonly troubles: readonly string[]
}

const DOCUMENT_LETTERS_MAX = 1024 * 1024
const DOCUMENTS_MAX = 256

const FORMAT = 2
const part = signedPart
const parts = table(string({ min: 1, max: 80 }), part, { max: TOURS_MAX + 4 })
const draft = object({
  format: literal(FORMAT),
  kind: literal('roadcase-draft'),
  isOldKeyLost: boolean,
  whyWeaker: nullable(weakerWhy),
  base: nullable(object({ root: part, targets: part, roles: parts })),
  root: nullable(part),
  roles: parts,
  documents: table(string({ min: 1, max: 512 }), string({ max: DOCUMENT_LETTERS_MAX }), {
    max: DOCUMENTS_MAX,
  }),
})

/** Everybody whose signatures a role needs for this change: those before it, too, so that no client is left behind. */
export function authoritiesOf(change: Change, role: string): readonly Authority[] {
  const { base, isOldKeyLost } = change
  const before = base?.root.signed
  const after = change.root?.signed
  if (isTopRole(role)) {
    const needsBefore = role === 'root' || !isOldKeyLost || after === undefined
    return [before !== undefined && needsBefore ? before : null, after ?? null]
      .filter(root => root !== null)
      .map(root => rootAuthority(root, role))
  }
  const targets = targetsOf(change)
  const authority = targets === null ? null : delegatedAuthority(targets, role)
  if (authority === null) throw new BoxError('release.invalid', `nothing is delegated to ${role}`)
  return [authority]
}

const targetsOf = ({ base, roles }: Change): Targets | null =>
  (roles.get('targets') ?? base?.targets)?.signed ?? null

/**
 * Adds what must be signed anew because other keys stand for it now.
 * @param current of all delegated roles of the repository
 */
export function completed(
  change: Change,
  current: ReadonlyMap<string, Document<Targets>>,
  expires: string,
): Change {
  const { base } = change
  if (base === null) return change
  const roles = new Map(change.roles)
  const renew = (role: string, document: Document<Targets>): void => {
    if (roles.has(role)) return
    const next = { ...change, roles }
    if (authoritiesOf(next, role).every(authority => isSignedBy(document, authority))) return
    const signed = { ...document.signed, version: document.signed.version + 1, expires }
    roles.set(role, { signed, signatures: [] })
  }
  renew('targets', base.targets)
  const delegations = targetsOf({ ...change, roles })?.delegations?.roles ?? []
  for (const { name } of delegations) {
    const document = current.get(name)
    if (document !== undefined) renew(name, document)
  }
  return { ...change, roles }
}

/** Signs every part with what is at hand. @param only names of keys; null: all */
export async function signChange(
  ring: KeyRing,
  change: Change,
  only: readonly string[] | null,
): Promise<SignedChange> {
  const missing = new Map<string, readonly Missing[]>()
  const troubles: string[] = []
  let root: Document<Root> | null = null
  const roles = new Map<string, Document<Targets>>()
  if (change.root !== null) {
    const signed = await signFor(ring, change.root, authoritiesOf(change, 'root'), only)
    root = signed.document
    troubles.push(...signed.troubles)
    if (signed.missing.length > 0) missing.set('root', signed.missing)
  }
  for (const [role, document] of change.roles) {
    const signed = await signFor(ring, document, authoritiesOf(change, role), only)
    roles.set(role, signed.document)
    troubles.push(...signed.troubles)
    if (signed.missing.length > 0) missing.set(role, signed.missing)
  }
  return { change: { ...change, root, roles }, missing, troubles: [...new Set(troubles)] }
}

export function draftBytes({ base, root, roles, documents, ...rest }: Change): Uint8Array {
  return fileBytes({
    ...{ format: FORMAT, kind: 'roadcase-draft', ...rest, root, roles: Object.fromEntries(roles) },
    base: base === null ? null : { ...base, roles: Object.fromEntries(base.roles) },
    documents: Object.fromEntries(
      [...documents].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]),
    ),
  })
}

/**
 * A draft comes from anybody, and what people read in it before they sign are names of keys, what was before, and what the
 * documents say that are listed anew: all of it must be true.
 * @throws ConfigError naming the field; BoxError `release.invalid` for a key under the id of another, for a root before it
 * that has not the signatures it asks for, for another document than is to be signed, or for a part that would be signed
 * otherwise than it stands there
 */
export function readDraft(bytes: Uint8Array, ring: Pick<KeyRing, 'keyidOf' | 'sha256Hex'>): Change {
  const value = jsonOf(bytes, 'draft')
  requireFormat(value)
  const read = check(draft, value, 'draft')
  const { base, root, isOldKeyLost, whyWeaker } = read
  const change: Change = {
    base:
      base === null
        ? null
        : {
            root: rootPart(base.root),
            targets: targetsPart(base.targets),
            roles: targetsParts(base.roles),
          },
    root: root === null ? null : rootPart(root),
    roles: targetsParts(read.roles),
    isOldKeyLost,
    whyWeaker,
    documents: new Map(
      Object.entries(read.documents).map(([path, text]) => [path, new TextEncoder().encode(text)]),
    ),
  }
  for (const { signed } of partsOf(change)) requireFaithful(signed)
  checkKeyids(change, ring)
  checkEnclosed(change, ring)
  const before = change.base?.root
  if (before !== undefined && !isSignedBy(before, rootAuthority(before.signed, 'root')))
    throw new BoxError('release.invalid', 'the draft says of the root before it what is not signed')
  return change
}

/** One of another program would be wrong in every field. @throws BoxError `release.invalid` */
function requireFormat(value: unknown): void {
  const isOfKind = typeof value === 'object' && value !== null && 'kind' in value
  if (!isOfKind || value.kind !== 'roadcase-draft')
    throw new BoxError('release.invalid', 'this file is no draft')
  const format = 'format' in value ? value.format : null
  if (format === FORMAT) return
  const isNewer = typeof format === 'number' && format > FORMAT
  const cure = isNewer ? 'read it with a newer one' : 'give the command that made it again'
  throw new BoxError(
    'release.invalid',
    `the draft is of format ${JSON.stringify(format)}, and this program reads format ${FORMAT}: ${cure}`,
  )
}

const partsOf = ({ base, root, roles }: Change): readonly Part[] =>
  [base?.root, base?.targets, ...(base?.roles.values() ?? []), root, ...roles.values()].filter(
    document => document !== undefined && document !== null,
  )

function checkKeyids({ base, root, roles }: Change, ring: Pick<KeyRing, 'keyidOf'>): void {
  const tables = [
    ...[base?.root, root].map(document => document?.signed.keys),
    ...[base?.targets, ...(base?.roles.values() ?? []), ...roles.values()].map(
      document => document?.signed.delegations?.keys,
    ),
  ]
  for (const [keyid, key] of tables.flatMap(table => Object.entries(table ?? {})))
    if (ring.keyidOf(key) !== keyid)
      throw new BoxError(
        'release.invalid',
        `the draft calls a key ${spokenKeyid(keyid)} that is another: somebody has changed it`,
      )
}

type Part = Document<Root | Targets>

function rootPart({ signed, signatures }: Part): Document<Root> {
  if (signed._type === 'root') return { signed, signatures }
  throw new BoxError('release.invalid', 'the draft has targets in the place of a root')
}

const targetsParts = (table: Readonly<Record<string, Part>>): Map<string, Document<Targets>> =>
  new Map(Object.entries(table).map(([role, document]) => [role, targetsPart(document)]))

function targetsPart({ signed, signatures }: Part): Document<Targets> {
  if (signed._type === 'targets') return { signed, signatures }
  throw new BoxError('release.invalid', 'the draft has a root in the place of targets')
}
