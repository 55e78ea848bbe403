/**
 * Whether servers with NTS (RFC 8915) are who they say they are. A box without a date cannot tell whether a certificate is
 * of today: it asks once without looking at that, takes the answer for its date, and asks anew with all that is looked
 * at; only what stands then is known. chronyd cannot do that by itself: `nocerttimecheck 1` counts the corrections of the
 * date only while a key is being asked for, so that it would never look (chrony 4.3, nts_ke_session.c).
 */
type Line = readonly string[]

/** Of chronyd's words, those about keys and who gives them; they begin with the date. */
const COMPLAINT = /^(?:\S+Z )?(.*(?:TLS|NTS-KE|certificate|credentials).*?)[\s.]*$/
const WORDS_MAX = 300
/** Of `authdata`: address, mode, key, …, and how many cookies are left. */
const FIELDS = { mode: 1, cookies: 8 } as const
/** Certificates are valid for weeks. */
const SAME_DAY_MS = 86_400_000

export type NtsVerdict = 'known' | 'ask-again' | 'doubtful'

export class NtsTrust {
  readonly isWanted: boolean
  #isUnchecked = false
  #hasDate = false
  #complaint: string | null = null
  #doubt: string | null = null

  /** @param isWanted there is a server that is to prove who it is */
  constructor(isWanted: boolean) {
    this.isWanted = isWanted
  }

  /** The dates of certificates are not looked at. */
  get isUnchecked(): boolean {
    return this.#isUnchecked
  }

  /** For people; null while all is well. */
  get trouble(): string | null {
    return this.#complaint ?? this.#doubt
  }

  /** chronyd is about to be started. @param isDateKnown also by who starts */
  begin(isDateKnown: boolean): void {
    this.#isUnchecked = this.isWanted && !isDateKnown && !this.#hasDate
    this.#complaint = null
    this.#doubt = null
  }

  /** A line that chronyd says. */
  hear(line: string): void {
    const [, words] = COMPLAINT.exec(line) ?? []
    if (this.isWanted && words !== undefined) this.#complaint = `NTS: ${words.slice(0, WORDS_MAX)}`
  }

  /** What `authdata` says: whether all have given keys since they were complained of. */
  read(lines: readonly Line[]): void {
    const cookies = lines
      .filter(line => line[FIELDS.mode] === 'NTS')
      .map(line => Number(line[FIELDS.cookies]))
    if (cookies.length > 0 && cookies.every(count => count > 0)) this.#complaint = null
  }

  /** What a date is worth that was found. @param correctionMs what the system still lacks of it */
  judge(dateMs: number, correctionMs: number, floorMs: number): NtsVerdict {
    if (!this.#isUnchecked) return 'known'
    if (dateMs < floorMs) {
      this.#doubt = 'NTS: what the servers say is past; their certificates may be, too'
      return 'doubtful'
    }
    if (Math.abs(correctionMs) > SAME_DAY_MS) {
      this.#doubt =
        'NTS: nobody looks whether certificates have expired, since the box may not set the date of the machine'
      return 'known'
    }
    this.#hasDate = true
    return 'ask-again'
  }
}
