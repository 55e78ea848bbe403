/** A bundle for the simulated RAUC: a line that says what is in it, the images, and a seal in place of a signature. */
import { createHash } from 'node:crypto'
import { check, integer, list, object, string } from '../../runtime/core/schema.js'

const head = object({
  compatible: string({ max: 128 }),
  images: list(
    object({ slotClass: string({ max: 64 }), byteCount: integer({ min: 0, max: 2 ** 30 }) }),
    {
      min: 0,
      max: 16,
    },
  ),
})

export interface OpenedBundle {
  readonly compatible: string
  readonly images: readonly { readonly slotClass: string; readonly bytes: Uint8Array }[]
}

/** @param key whose seal it has; only that of `studio` is trusted */
export function sealBundle({ compatible, images }: OpenedBundle, key: string): Uint8Array {
  const said = images.map(({ slotClass, bytes }) => ({ slotClass, byteCount: bytes.length }))
  const line = Buffer.from(`${JSON.stringify({ compatible, images: said })}\n`)
  const body = Buffer.concat([line, ...images.map(({ bytes }) => bytes)])
  return Buffer.concat([body, sealOf(body, key)])
}

/** Null for one that is not there, was changed, or has the seal of somebody else. */
export function openBundle(file: Uint8Array | null): OpenedBundle | null {
  if (file === null || file.length < 32) return null
  const body = file.subarray(0, -32)
  if (!sealOf(body, 'studio').equals(file.subarray(-32))) return null
  const end = body.indexOf(0x0a)
  const said: unknown = JSON.parse(new TextDecoder().decode(body.subarray(0, end)))
  const { compatible, images: listed } = check(head, said, 'bundle')
  let at = end + 1
  const images = listed.map(({ slotClass, byteCount }) => {
    const bytes = body.slice(at, at + byteCount)
    at += byteCount
    return { slotClass, bytes }
  })
  return { compatible, images }
}

const sealOf = (body: Uint8Array, key: string): Buffer =>
  createHash('sha256').update(key).update(body).digest()
