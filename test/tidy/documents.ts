/** What documents owe the code: a paragraph for each error code, and links that lead somewhere. */
import { posix } from 'node:path'
import type { TreeFile } from './tree.js'

const OPERATING = 'docs/operating.md'

/** Each code is a heading of its own, and says both what one sees and what one does. */
export function codesWithoutParagraph(
  files: readonly TreeFile[],
  codes: readonly string[],
): string[] {
  const text = files.find(file => file.path === OPERATING)?.text ?? ''
  const sections = new Map(
    text.split(/^#+ /m).map(section => [/^`([a-z.-]+)`/.exec(section)?.[1] ?? '', section]),
  )
  const missing = codes.flatMap(code => {
    const section = sections.get(code)
    if (section === undefined)
      return [`${OPERATING}: has no paragraph "### \`${code}\`": write what one sees and does`]
    const isWhole = section.includes('**You see**') && section.includes('**Do**')
    return isWhole
      ? []
      : [`${OPERATING}: \`${code}\` needs both "**You see**" and "**Do**" in its paragraph`]
  })
  const stale = [...sections.keys()]
    .filter(code => code !== '' && !codes.includes(code))
    .map(code => `${OPERATING}: explains \`${code}\`, which no longer exists: remove it`)
  return [...missing, ...stale]
}

const LINK = /\]\(([^)\s]+)\)|\bsrc="([^"]+)"/g

export function deadLinks(files: readonly TreeFile[]): string[] {
  const paths = new Set(files.map(file => file.path))
  const folders = new Set(files.flatMap(file => ancestors(file.path)))
  return files
    .filter(file => file.path.endsWith('.md'))
    .flatMap(file =>
      [...file.text.matchAll(LINK)]
        .map(match => match[1] ?? match[2] ?? '')
        .filter(link => !/^(https?:|mailto:|#)/.test(link))
        .filter(link => {
          const target = posix
            .join(posix.dirname(file.path), link.replace(/#.*$/, ''))
            .replace(/\/$/, '')
          return !paths.has(target) && !folders.has(target)
        })
        .map(link => `${file.path}: links to ${link}, which is not there`),
    )
}

/** `docs/decisions` and `docs` for `docs/decisions/0001-layers.md`. */
const ancestors = (path: string): string[] => {
  const steps = path.split('/').slice(0, -1)
  return ['.', ...steps.map((_, index) => steps.slice(0, index + 1).join('/'))]
}

const DECISION_LIST = 'docs/architecture.md'

export function unlistedDecisions(files: readonly TreeFile[]): string[] {
  const list = files.find(file => file.path === DECISION_LIST)?.text ?? ''
  return files
    .map(file => file.path)
    .filter(path => /^docs\/decisions\/\d{4}-[^/]+\.md$/.test(path))
    .filter(path => !list.includes(`](${path.replace('docs/', '')})`))
    .map(path => `${DECISION_LIST}: does not list ${path}: add a line under "Decisions"`)
}

const ROOMS = ['boards', 'drivers', 'ota', 'provisioning', 'runtime', 'test']
const README_LINES_MAX = 40
const README_PARTS = [
  'What lives here',
  'What it may import',
  'How to add one',
  'Read this file first',
]

export const roomsWithoutReadme = (files: readonly TreeFile[]): string[] =>
  ROOMS.flatMap(room => {
    const path = `${room}/README.md`
    const readme = files.find(file => file.path === path)
    if (readme === undefined) return [`${path}: is missing: ${README_PARTS.join(' · ')}`]
    const lineCount = readme.text.trimEnd().split('\n').length
    return [
      ...README_PARTS.filter(part => !readme.text.includes(`## ${part}`)).map(
        part => `${path}: has no part "## ${part}"`,
      ),
      ...(lineCount > README_LINES_MAX
        ? [`${path}: ${lineCount} lines, at most ${README_LINES_MAX}: link instead of telling`]
        : []),
    ]
  })
