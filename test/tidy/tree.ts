/** The tree as the checks see it: text, so that a check is a pure function that a test can show a planted file. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface TreeFile {
  /** From the root of the tree, with forward slashes. */
  readonly path: string
  /** Empty for what is not text. */
  readonly text: string
  readonly isExecutable: boolean
}

const TEXT =
  /\.(ts|cjs|js|mjs|sh|md|json|yaml|yml|html|css|svg|txt|service|cfg)$|(^|\/)[^.]+$|\/\.ci\/|^\.[^/]+$/

/** What git tracks, and what it would track: a mistake is found before it is committed. */
export function readTree(root: string): TreeFile[] {
  const list = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  return list
    .split('\0')
    .filter(path => path !== '')
    .flatMap(path => readFile(root, path))
}

function readFile(root: string, path: string): TreeFile[] {
  const full = join(root, path)
  const found = statSync(full, { throwIfNoEntry: false })
  // Tracked, but removed and not yet committed.
  if (!found?.isFile()) return []
  return [
    {
      path,
      text: TEXT.test(path) ? readFileSync(full, 'utf8') : '',
      isExecutable: (found.mode & 0o111) !== 0,
    },
  ]
}

/** `runtime/box.ts:12: what is wrong`, for every line of the file that `isWrong`. */
export function wrongLines(
  file: TreeFile,
  isWrong: (line: string) => string | null,
): readonly string[] {
  return file.text.split('\n').flatMap((line, index) => {
    const message = isWrong(line)
    return message === null ? [] : [`${file.path}:${index + 1}: ${message}`]
  })
}
