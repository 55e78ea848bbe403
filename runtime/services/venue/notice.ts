import type { Role } from './leadership.js'

/** What a technician would want to know. */
export type Notice =
  | {
      readonly kind: 'role'
      readonly role: Role
      readonly leader: string | null
      readonly why: string
    }
  /** Decided here while another box led the venue, and void. */
  | { readonly kind: 'dropped'; readonly ids: readonly string[] }
  /** Another box of the same name is there. */
  | { readonly kind: 'same-name'; readonly from: string }
  /** It speaks of reigns that cannot be; nothing that it says is believed. */
  | { readonly kind: 'mad'; readonly box: string }
  | { readonly kind: 'same-mark'; readonly box: string }
  /** Of panics this box knows better than the box that leads. */
  | {
      readonly kind: 'doubt'
      readonly unheard: readonly string[]
      readonly released: readonly string[]
    }
  | { readonly kind: 'not-played'; readonly id: string }
