/**
 * SVG as PNG at the resolution of the head, by resvg with the font of the preview: the only file that imports them, and
 * both only when somebody wants a picture. The same picture on every machine, whatever fonts it has.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { FONT_FAMILY } from './svg.js'

type Library = typeof import('@resvg/resvg-wasm')

interface Renderer {
  readonly library: Library
  readonly fonts: readonly Uint8Array[]
}

/** The library can be started once in a process, so that it is started once is kept here. */
let renderer: Promise<Renderer> | null = null

/** @param svg as `ticketSvg` makes it: one unit becomes one dot */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  renderer ??= load()
  const { library, fonts } = await renderer
  const picture = new library.Resvg(svg, {
    fitTo: { mode: 'width', value: widthOf(svg) },
    font: { fontBuffers: [...fonts], defaultFontFamily: FONT_FAMILY, monospaceFamily: FONT_FAMILY },
  })
  try {
    const image = picture.render()
    const png = image.asPng()
    image.free()
    return png
  } finally {
    picture.free()
  }
}

const widthOf = (svg: string): number => Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1] ?? 576)

async function load(): Promise<Renderer> {
  const require = createRequire(import.meta.url)
  const [library, wasm, ...fonts] = await Promise.all([
    import('@resvg/resvg-wasm'),
    readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')),
    readFile(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf')),
    readFile(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono-Bold.ttf')),
  ])
  await library.initWasm(wasm)
  return { library, fonts }
}
