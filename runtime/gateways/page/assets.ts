/** The files of the page, read once at start and served from memory with a digest as their ETag (RFC 9110, 8.8.3). */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { BoxError } from '../../core/errors.js'

const FILES_MAX = 64
const FILE_BYTES_MAX = 512 * 1024

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

export interface Asset {
  readonly contentType: string
  /** In double quotes, as the header wants it. */
  readonly etag: string
  readonly bytes: Buffer
}

/**
 * By path: `/` is index.html, the others have their file name.
 * @throws BoxError `storage.io` when the folder cannot be read or has no index.html
 */
export async function loadAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>()
  try {
    const names = (await readdir(folder)).filter(file => extname(file) in contentTypes)
    for (const file of names.slice(0, FILES_MAX)) {
      const bytes = await readFile(join(folder, file))
      if (bytes.length > FILE_BYTES_MAX) throw new Error(`${file} is larger than ${FILE_BYTES_MAX}`)
      assets.set(file === 'index.html' ? '/' : `/${file}`, assetOf(file, bytes))
    }
  } catch (cause) {
    throw new BoxError('storage.io', `the page's files in ${folder} cannot be read`, { cause })
  }
  if (!assets.has('/'))
    throw new BoxError('storage.io', `the page's folder ${folder} has no index.html`)
  return assets
}

function assetOf(file: string, bytes: Buffer): Asset {
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 27)
  return {
    contentType: contentTypes[extname(file)] ?? 'application/octet-stream',
    etag: `"${digest}"`,
    bytes,
  }
}

/** Whether one of the tags in an If-None-Match header is this one. */
export function isFresh(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch ?? '')
    .split(',')
    .map(tag => tag.trim().replace(/^W\//, ''))
    .some(tag => tag === etag || tag === '*')
}
