/**
 * The bytes that are signed and the check of a signature: those of the TUF library for JavaScript, so that the publisher
 * agrees with clients by construction. The only file of the publisher that imports a package.
 */
import {
  Key,
  Metadata,
  MetadataKind,
  type Root as ModelRoot,
  type Snapshot as ModelSnapshot,
  type Targets as ModelTargets,
  type Timestamp as ModelTimestamp,
  Signature,
} from '@tufjs/models'
import { assert } from '../../runtime/core/errors.js'
import { hexOf } from '../../runtime/core/hex.js'
import type { Document, KeyJson, Root, Snapshot, Targets, Timestamp } from './documents.js'

/**
 * The specification that was read for this is 1.0.33, and all that is used of it stands in 1.0.0 already: there are clients
 * that take no other (rust-tuf), and none that asks for a newer one.
 */
export const SPEC_VERSION = '1.0.0'

export type Signed = Root | Targets | Snapshot | Timestamp
export type AnyDocument = Document<Signed>

/** What a key signs: the canonical form of a document's signed part (OLPC canonical JSON). */
export function signedBytes(signed: Signed): Uint8Array {
  let bytes: Uint8Array | null = null
  // The library gives the bytes to a signer that answers at once, and keys that are in an agent or a token do not.
  modelOf({ signed, signatures: [] }).sign(given => {
    bytes = Uint8Array.from(given)
    return new Signature({ keyID: 'none', sig: '' })
  })
  assert(bytes !== null, 'the library asks for a signature')
  return bytes
}

/** Ids of those of the keys that have rightly signed the document, each once. */
export function signersOf(
  document: AnyDocument,
  keys: Readonly<Record<string, KeyJson>>,
): ReadonlySet<string> {
  const model = modelOf(document)
  const signers = new Set<string>()
  for (const { keyid } of document.signatures) {
    const key = keys[keyid]
    if (key === undefined) continue
    try {
      Key.fromJSON(keyid, { ...key, keyval: { ...key.keyval } }).verifySignature(model)
      signers.add(keyid)
    } catch {
      // A signature that is wrong counts as none; who is missing is told by the caller.
    }
  }
  return signers
}

/** Whether the library takes both for the same, whatever their signatures. */
export const isSameSigned = (one: Signed, other: Signed): boolean =>
  hexOf(signedBytes(one)) === hexOf(signedBytes(other))

type Model =
  | Metadata<ModelRoot>
  | Metadata<ModelTargets>
  | Metadata<ModelSnapshot>
  | Metadata<ModelTimestamp>

/** The library takes signatures of one key twice, and more that no schema says, for a mistake: here both are bugs. */
function modelOf(document: AnyDocument): Model {
  const json = JSON.parse(JSON.stringify(document))
  switch (document.signed._type) {
    case 'root':
      return Metadata.fromJSON(MetadataKind.Root, json)
    case 'targets':
      return Metadata.fromJSON(MetadataKind.Targets, json)
    case 'snapshot':
      return Metadata.fromJSON(MetadataKind.Snapshot, json)
    case 'timestamp':
      return Metadata.fromJSON(MetadataKind.Timestamp, json)
  }
}
