/** The public half of a key as TUF writes it (specification 1.0.33, 4.2): Ed25519 as 64 hexadecimal digits, P-256 as PEM. */
export type PublicKey =
  | { readonly keytype: 'ed25519'; readonly scheme: 'ed25519'; readonly public: string }
  | { readonly keytype: 'ecdsa'; readonly scheme: 'ecdsa-sha2-nistp256'; readonly public: string }

/** Where the private half of a key is. */
export type KeyPlace =
  /** @param file in the folder of the keys */
  | { readonly in: 'file'; readonly file: string }
  /** An agent that speaks the protocol of ssh-agent. */
  | { readonly in: 'agent' }
  /** A token that speaks PKCS#11. @param id hexadecimal; @param module the library that speaks to it */
  | { readonly in: 'token'; readonly module: string; readonly token: string; readonly id: string }
  /** With somebody else. */
  | { readonly in: 'elsewhere' }

/**
 * Private keys, which never leave their place. Every call may throw BoxError: `key.absent` when the place or the key in it
 * is not there, `key.denied` when it is open to others, or passphrase or PIN are wrong, `key.invalid` when it is of another
 * kind than can be used.
 */
export interface SigningKeys {
  /**
   * Makes an Ed25519 pair in a file that was not there. @param passphrase null: nothing but the rights of the file protect
   * it. Throws BoxError `key.denied` when there is such a file.
   */
  create(file: string, passphrase: string | null): Promise<PublicKey>
  /** The public half of what is there. @param which for an agent: the comment of the key, or `SHA256:…` of it */
  find(place: KeyPlace, which: string | null): Promise<PublicKey>
  /** Checked against the public key before it is returned. For P-256 DER, as TUF wants it. */
  sign(place: KeyPlace, key: PublicKey, bytes: Uint8Array): Promise<Uint8Array>
}

/** What only a person knows. */
export interface Passphrases {
  /**
   * @param what it is for, in words. Throws BoxError `key.denied` when nobody can be asked, `key.given-up` when who is asked
   * does not want to go on.
   */
  ask(what: string): Promise<string>
  /** After one that was wrong, and says so. Null where nobody types, or has had tries enough. Throws as `ask` does. */
  askAgain(what: string): Promise<string | null>
  /** Twice, where a person types it. */
  askNew(what: string): Promise<string>
}
