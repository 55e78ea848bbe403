import { deflateSync } from 'node:zlib'
import { PNG } from 'pngjs'
import t from 'tap'
import { linuxPictures } from '../../../drivers/linux/pictures.js'

const png = (width: number, height: number, rgba: readonly number[]): Buffer => {
  const image = new PNG({ width, height })
  image.data = Buffer.from(rgba)
  return PNG.sync.write(image)
}

t.test('colors are as bright as eyes take them, and what is transparent is white', async t => {
  const { width, height, pixels } = linuxPictures.readPng(
    png(3, 2, [
      ...[255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255],
      ...[0, 0, 0, 255, 0, 0, 0, 128, 0, 0, 0, 0],
    ]),
  )
  t.same([width, height, ...pixels], [3, 2, 54, 182, 18, 0, 127, 255])
})

t.test('a small PNG that says it is huge is refused before it is unpacked', async t => {
  const bomb = Buffer.from(png(1, 1, [0, 0, 0, 255]))
  bomb.writeUInt32BE(60_000, 16)
  t.throws(() => linuxPictures.readPng(bomb), {
    code: 'ticket.invalid',
    message: 'this PNG has 60000 by 1 dots, at most 4096 by 4096',
  })
  const interlaced = Buffer.from(png(1, 1, [0, 0, 0, 255]))
  interlaced.writeUInt8(1, 28)
  t.throws(() => linuxPictures.readPng(interlaced), { message: /interlaced/ })
  t.throws(() => linuxPictures.readPng(new Uint8Array(9 * 1024 * 1024)), { message: /at most/ })
})

t.test('whatever is no PNG, or a torn one, is a refusal and no crash', async t => {
  const whole = png(8, 8, Array<number>(256).fill(7))
  const refused = { code: 'ticket.invalid' }
  for (const bytes of [Buffer.alloc(0), Buffer.from('GIF89a'), deflateSync(Buffer.alloc(99))])
    t.throws(() => linuxPictures.readPng(bytes), refused)
  for (let length = 0; length < whole.length; length++)
    t.throws(() => linuxPictures.readPng(whole.subarray(0, length)), refused, `${length} bytes`)
  for (let at = 0; at < whole.length; at++) {
    const rotten = Buffer.from(whole)
    rotten[at] = (rotten[at] ?? 0) ^ 0x55
    try {
      linuxPictures.readPng(rotten)
    } catch (error) {
      t.match(error, refused, `byte ${at}`)
    }
  }
})

t.test('a PNG may stand anywhere in its buffer', async t => {
  const whole = png(1, 1, [0, 0, 0, 255])
  const shifted = Buffer.concat([Buffer.alloc(3), whole]).subarray(3)
  t.same([...linuxPictures.readPng(shifted).pixels], [0])
})
