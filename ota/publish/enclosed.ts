/**
 * The documents that a change lists anew, carried with its draft: whoever signs an order reads it, and not its size. They are
 * what the hashes say that are signed, or the draft is refused.
 */
import { BoxError } from '../../runtime/core/errors.js'
import type { PublicFolder } from '../../runtime/ports/public-folder.js'
import { isAsDescribed, isDocument, isSameTarget, targetIn } from './described.js'
import { type Document, METADATA_BYTES_MAX, type TargetFile, type Targets } from './documents.js'
import { type RepositoryState, targetFileName } from './state.js'

type Roles = ReadonlyMap<string, Document<Targets>>

/** What a role lists that it has not listed before, or not so. @param before undefined where there was no such role */
export function newTargets(
  before: Document<Targets> | undefined,
  { signed }: Document<Targets>,
): [string, TargetFile][] {
  const known = before?.signed.targets ?? {}
  return Object.entries(signed.targets).filter(
    ([path, file]) => !isSameTarget(targetIn(known, path), file),
  )
}

/** Of all roles. */
const allNew = (before: Roles, roles: Roles): [string, TargetFile][] =>
  [...roles].flatMap(([role, document]) => newTargets(before.get(role), document))

interface Enclosing {
  readonly roles: Roles
  readonly documents: ReadonlyMap<string, Uint8Array>
}

/** What is to go with a draft. @throws BoxError `release.invalid` for one that is not in the folder */
export async function enclosedIn(
  folder: PublicFolder,
  state: RepositoryState | null,
  { roles, documents: carried }: Enclosing,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const documents = new Map<string, Uint8Array>()
  for (const [path, { hashes }] of allNew(state?.delegated ?? new Map(), roles)) {
    if (!isDocument(path)) continue
    const file = targetFileName(path, hashes.sha256)
    const bytes = carried.get(path) ?? (await folder.read(file, METADATA_BYTES_MAX))
    if (bytes === null) throw new BoxError('release.invalid', `${path} is missing`)
    documents.set(path, bytes)
  }
  return documents
}

/** @throws BoxError `release.invalid` for a document that nobody is to sign, or that is another one */
export function checkEnclosed(
  { roles, documents }: Enclosing,
  keys: { sha256Hex(bytes: Uint8Array): string },
): void {
  const listed = new Map(
    [...roles.values()].flatMap(({ signed }) => Object.entries(signed.targets)),
  )
  for (const [path, bytes] of documents) {
    const file = listed.get(path)
    if (file === undefined || keys.sha256Hex(bytes) !== file.hashes.sha256)
      throw new BoxError(
        'release.invalid',
        `the draft encloses another ${path} than is to be signed: somebody has changed it`,
      )
    if (!isAsDescribed(path, bytes, file))
      throw new BoxError(
        'release.invalid',
        `what the draft says beside ${path} is not what it says itself: somebody has changed it`,
      )
  }
}

/**
 * Before the metadata that leads there. What was deleted meanwhile (`prune`, while the draft was on its way) comes out of
 * the draft; an object that is gone does not.
 * @throws BoxError `release.conflict`
 */
export async function putEnclosed(
  folder: PublicFolder,
  state: RepositoryState | null,
  { roles, documents }: Enclosing,
): Promise<void> {
  const wanted = allNew(state?.delegated ?? new Map(), roles)
  if (wanted.length === 0) return
  const there = new Set(await folder.list('targets'))
  for (const [path, { hashes }] of wanted) {
    const file = targetFileName(path, hashes.sha256)
    if (there.has(file)) continue
    const bytes = documents.get(path)
    if (bytes === undefined)
      throw new BoxError(
        'release.conflict',
        `${path} is not in the repository any more: publish it again`,
      )
    await folder.write(file, [bytes])
  }
}
