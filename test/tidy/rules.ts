/** Rules about the text and the names of files, each a pure function from the tree to its problems. */
import { type TreeFile, wrongLines } from './tree.js'

const isTypeScript = (file: TreeFile): boolean => file.path.endsWith('.ts')

export function driversWithoutTest(files: readonly TreeFile[]): string[] {
  const paths = new Set(files.map(file => file.path))
  return files
    .map(file => file.path)
    .filter(path => /^drivers\/[^/]+\.ts$/.test(path))
    .filter(path => !paths.has(`test/${path.replace(/\.ts$/, '.test.ts')}`))
    .map(path => `${path}: has no test: write test/${path.replace(/\.ts$/, '.test.ts')}`)
}

/** Anything that would make two runs with one seed differ, and the port that gives it instead. */
const UNREPEATABLE: readonly (readonly [what: RegExp, instead: string])[] = [
  [/\bMath\.random\b/, 'core/random.ts, from a seed'],
  [/\bprocess\.hrtime\b/, 'the Clock port'],
  [/\brandomUUID\b/, 'the Keys port'],
  [/\bnew Date\b|\bDate\.now\b/, 'the Clock port'],
]

/** Hosts and tests; and the command of a person, which is in no run that a seed replays. */
const MAY_DIFFER = /^(drivers\/linux|test|runtime\/cli)\/|^runtime\/cli\.ts$/

export const unrepeatable = (files: readonly TreeFile[]): string[] =>
  files
    .filter(file => isTypeScript(file) && !MAY_DIFFER.test(file.path))
    .flatMap(file =>
      wrongLines(file, line => {
        const found = UNREPEATABLE.find(([what]) => what.test(line) && !isComment(line))
        return found ? `two runs would differ: ask ${found[1]}` : null
      }),
    )

const isComment = (line: string): boolean => /^\s*(\*|\/\/|\/\*)/.test(line)

/** Words for things that are two things, or none. */
const EMPTY_WORD = /(?:Manager|Helper|Handler|Util|Utils|Info)(?![a-z])|(?:^|[a-z])Data$/
const EMPTY_FILE_NAME =
  /(^|[-/.])(manager|helper|helpers|handler|util|utils|info|misc|common)(?=[-.]|$)/
const EXPORTED_NAME =
  /^export (?:declare |async |abstract )*(?:function\*?|class|const|let|interface|type) ([A-Za-z_$][\w$]*)/

export function emptyWords(files: readonly TreeFile[]): string[] {
  const code = files.filter(isTypeScript)
  const names = code
    .filter(file => EMPTY_FILE_NAME.test(file.path.replace(/\.ts$/, '')))
    .map(file => `${file.path}: its name says nothing: name it for what it does`)
  const exported = code.flatMap(file =>
    wrongLines(file, line => {
      const name = EXPORTED_NAME.exec(line)?.[1]
      return name !== undefined && EMPTY_WORD.test(name)
        ? `${name} says nothing: if no better word comes, it is two things`
        : null
    }),
  )
  return [...names, ...exported]
}

/** Paths and hosts of one machine, which mean nothing on the next. Written in parts, so that they are not found here. */
const MACHINE: readonly (readonly [what: RegExp, message: string])[] = [
  [
    new RegExp(String.raw`(?<![\w.$}/-])/(?:${['work', 'home', 'root', 'Users'].join('|')})/\w`),
    'a path of one machine',
  ],
  [
    new RegExp(['regis', 'try\\.[a-z0-9-]+\\.(?:org|com|net|io)|np', 'mjs\\.'].join('')),
    'a host of one machine',
  ],
]
export const machinePaths = (files: readonly TreeFile[]): string[] =>
  files.flatMap(file =>
    wrongLines(file, line => {
      const found = MACHINE.find(([what]) => what.test(line))
      return found ? `${found[1]} in a tracked file: make it relative, or an option` : null
    }),
  )

const LINES_MAX = 300
const isNotBlank = (line: string): boolean => line.trim() !== ''

export const longFiles = (files: readonly TreeFile[]): string[] =>
  files
    .filter(file => /\.(ts|cjs|js|sh|css)$/.test(file.path) && !file.path.startsWith('test/'))
    .map(({ path, text }) => ({ path, count: text.split('\n').filter(isNotBlank).length }))
    .filter(({ count }) => count > LINES_MAX)
    .map(({ path, count }) => `${path}: ${count} lines, at most ${LINES_MAX}: it is two things`)

/** Scripts are run by name, and so need the run bit; nothing else has it. */
export const runBits = (files: readonly TreeFile[]): string[] =>
  files.flatMap(file => {
    const isScript = file.text.startsWith('#!') && !/\.(ts|js|cjs|mjs)$/.test(file.path)
    if (isScript && !file.isExecutable) return [`${file.path}: cannot be run: chmod +x it`]
    if (file.isExecutable && !file.text.startsWith('#!'))
      return [`${file.path}: has the run bit but no first line that says how: chmod -x it`]
    return []
  })
