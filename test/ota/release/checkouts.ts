/** Clean checkouts of what is in the tree now, committed or not, in folders of a test's own. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../../runtime/version.js'

const PARTS = [
  'LICENSE',
  'boards',
  'docs/examples',
  'drivers',
  'ota',
  'package-lock.json',
  'package.json',
  'runtime',
  'tsconfig.json',
]
/** The same commit, whenever it is made. */
const COMMITTED = '2026-03-01T20:00:00Z'

export function makeCheckout(folder: string): void {
  mkdirSync(join(folder, 'docs'), { recursive: true })
  for (const part of PARTS)
    cpSync(join(packageFolder, part), join(folder, part), { recursive: true })
  linkPackages(folder)
  git(folder, 'init', '--quiet')
  writeFileSync(join(folder, '.git/info/exclude'), 'node_modules\n')
  git(folder, 'add', '.')
  git(folder, 'commit', '--quiet', '--message', 'a release')
}

/** Hard links where the disk is the same: what npm installed is at home there, as far as anybody can tell. */
function linkPackages(folder: string): void {
  const lock = JSON.parse(readFileSync(join(packageFolder, 'package-lock.json'), 'utf8'))
  const paths = Object.entries<{ dev?: boolean }>(lock.packages)
    .filter(([path, { dev }]) => dev !== true && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))
    .map(([path]) => path)
    .filter(path => existsSync(join(packageFolder, path)))
  const run = (how: string): Buffer =>
    execFileSync('cp', [how, '--parents', ...paths, folder], { cwd: packageFolder, stdio: 'pipe' })
  try {
    run('-rl')
  } catch {
    run('-r')
  }
}

function git(folder: string, ...words: string[]): void {
  const person = { NAME: 'Test', EMAIL: 'test@example.com', DATE: COMMITTED }
  const env = Object.entries(person).flatMap(([key, value]) => [
    [`GIT_AUTHOR_${key}`, value],
    [`GIT_COMMITTER_${key}`, value],
  ])
  execFileSync('git', ['-c', 'commit.gpgsign=false', ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...Object.fromEntries(env) },
  })
}
