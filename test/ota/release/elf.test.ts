import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkElf, isElf } from '../../../ota/release/elf.js'

/** The header of a shared library, and names of versions as its string table has them. */
function library(machine: number, versions: readonly string[] = [], width = 2, order = 1): Buffer {
  const header = Buffer.alloc(64)
  header.write('\x7fELF', 'latin1')
  header[4] = width
  header[5] = order
  header.writeUInt16LE(3, 16)
  header.writeUInt16LE(machine, 18)
  return Buffer.concat([header, Buffer.from(`\0${versions.join('\0')}\0`, 'latin1')])
}

t.test('machine code of the right machine passes, of another one is named', async t => {
  checkElf('a.node', library(62), 'x64')
  checkElf('a.node', library(183), 'arm64')
  for (const [bytes, architecture] of [
    [library(62), 'arm64'],
    [library(183), 'x64'],
    [library(40), 'arm64'],
    [library(183, [], 1), 'arm64'],
    [library(183, [], 2, 2), 'arm64'],
  ] as const)
    t.throws(() => checkElf('b/a.node', bytes, architecture), {
      code: 'release.invalid',
      message: /b\/a\.node is machine code for another machine/,
    })
})

t.test('what is no machine code at all is refused', async t => {
  for (const bytes of [
    Buffer.from('MZ'),
    Buffer.alloc(0),
    Buffer.from('\x7fELF'),
    Buffer.alloc(64),
  ]) {
    t.notOk(isElf(bytes))
    t.throws(() => checkElf('a.node', bytes, 'x64'), { code: 'release.invalid' })
  }
})

t.test('libraries that are newer than those of a box are refused', async t => {
  checkElf(
    'a.node',
    library(62, ['GLIBC_2.36', 'GLIBC_2.2.5', 'GLIBCXX_3.4.30', 'GLIBCXX_3.4']),
    'x64',
  )
  for (const version of ['GLIBC_2.37', 'GLIBC_2.36.1', 'GLIBC_3.0', 'GLIBCXX_3.4.31'])
    t.throws(() => checkElf('a.node', library(62, ['GLIBC_2.17', version]), 'x64'), {
      message: new RegExp(`needs ${version}; boxes have`),
    })
})

t.test('the Node that runs here is for the machine that is here', async t => {
  const node = readFileSync(process.execPath)
  const here = process.arch === 'arm64' ? 'arm64' : 'x64'
  checkElf('bin/node', node, here)
  t.throws(() => checkElf('bin/node', node, here === 'x64' ? 'arm64' : 'x64'))
})
