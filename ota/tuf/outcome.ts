/** What can be said of a try to believe something: words for people, and nothing that a caller could mistake for trust. */

/** Why something that came was not believed. */
export type Reason =
  /** Too few signatures of keys that count. */
  | 'not signed as required'
  /** The box has seen a newer one: somebody shows it the past. */
  | 'older than seen'
  /** Its time is over, or no newer one is shown to the box. */
  | 'expired'
  /** What is signed names it, and the source does not have it. */
  | 'missing'
  /** Other bytes than were signed for. */
  | 'altered'
  | 'unreadable'
  | 'wrong version'
  | 'too big'

export interface Refused {
  readonly kind: 'refused'
  readonly reason: Reason
  /** Of the metadata, or the path of the target. */
  readonly role: string
  readonly message: string
}

/** The source does not answer. What was believed before is still believed. */
export interface NotReached {
  readonly kind: 'not reached'
  readonly message: string
}

export interface Versions {
  readonly root: number
  readonly timestamp: number
  readonly snapshot: number
  readonly targets: number
}

export type Outcome =
  | { readonly kind: 'believed'; readonly versions: Versions }
  /** All is signed and none is older than seen, but the box does not know the time: it may be of the past. */
  | { readonly kind: 'cannot judge yet'; readonly versions: Versions }
  | NotReached
  | Refused

/** Never leaves this folder: it becomes an outcome. */
export class Refusal extends Error {
  readonly reason: Reason
  readonly role: string
  constructor(reason: Reason, role: string, message: string) {
    super(message)
    this.name = 'Refusal'
    this.reason = reason
    this.role = role
  }
}

export const refused = (refusal: Refusal): Refused => ({
  kind: 'refused',
  reason: refusal.reason,
  role: refusal.role,
  message: refusal.message,
})
