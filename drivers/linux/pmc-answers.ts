/** What linuxptp's `pmc` prints, read as it comes: a head for each answer, then a line for each field (pmc(8)). */

export interface PmcAnswer {
  /** `PARENT_DATA_SET` and the like. */
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
}

const LINE_CHARACTERS_MAX = 4_096
const FIELDS_MAX = 64

export class PmcAnswers {
  readonly #take: (answer: PmcAnswer) => void
  #rest = ''
  #name: string | null = null
  #fields: Record<string, string> = {}

  /** @param take hears each answer when the next thing begins */
  constructor(take: (answer: PmcAnswer) => void) {
    this.#take = take
  }

  feed(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = (lines.pop() ?? '').slice(-LINE_CHARACTERS_MAX)
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    const [, name, value] = /^\t\t(\S+)\s+(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) {
      if (Object.keys(this.#fields).length < FIELDS_MAX) this.#fields[name] = value
      return
    }
    this.#flush()
    const [, answered] = /RESPONSE MANAGEMENT (\S+)/.exec(line) ?? []
    this.#name = answered ?? null
  }

  #flush(): void {
    if (this.#name !== null) this.#take({ name: this.#name, fields: this.#fields })
    this.#name = null
    this.#fields = {}
  }
}
