/** The texts that go with what a release carries of others, in one file: each text once, with everybody it is of. */

export interface Licensed {
  readonly name: string
  readonly version: string
  /** Null: the package says nothing. */
  readonly licence: string | null
  /** Its files of that kind, in the order of their names. */
  readonly texts: readonly string[]
}

const RULE = '='.repeat(80)

/** @param own the licence of the release itself */
export function licencesText(own: string, all: readonly Licensed[]): string {
  const owners = new Map<string, string[]>()
  const without: string[] = []
  for (const one of sorted(all)) {
    const title = `${one.name} ${one.version} (${one.licence ?? 'declares none'})`
    if (one.texts.length === 0) without.push(title)
    for (const text of one.texts) {
      const clean = normal(text)
      owners.set(clean, [...(owners.get(clean) ?? []), title])
    }
  }
  const sections = [...owners].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`)
  const rest =
    without.length === 0 ? [] : [`These bring no text of their licence:\n\n${without.join('\n')}\n`]
  return [`roadcase\n\n${normal(own)}`, ...sections, ...rest].join(`\n${RULE}\n`)
}

/** Who wrote it on what system is no difference. */
const normal = (text: string): string =>
  `${text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .trim()}\n`

const sorted = (all: readonly Licensed[]): Licensed[] =>
  [...all].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1))

const keyOf = ({ name, version }: Licensed): string => `${name} ${version}`
