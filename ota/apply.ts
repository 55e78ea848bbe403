/**
 * The process that applies a transfer object: told what by its parent, over Node's channel. It ends when it is told so,
 * and when its parent is gone: whatever it has written by then is no release without its manifest.
 */
import { setPriority } from 'node:os'
import { LinuxBrotli } from '../drivers/linux/brotli.js'
import { LinuxDigests } from '../drivers/linux/digests.js'
import {
  LinuxReleaseTree,
  LinuxReleaseTreeWriter,
  openBytes,
} from '../drivers/linux/release-tree.js'
import { BoxError, messageOf } from '../runtime/core/errors.js'
import { applyObject } from './patch/apply.js'
import { type ApplyOrder, type ApplyReport, isCancel, readOrder } from './patch/apply-words.js'

/** Of 19: whatever the box does meanwhile comes first. */
const NICE = 10
const REPORTS = 400

let isCancelled = false

setPriority(NICE)
process.once('disconnect', () => process.exit())
process.once('message', message => {
  process.on('message', word => {
    isCancelled ||= isCancel(word)
  })
  const order = readOrder(message)
  if (order === null) throw new Error('the first message is no order')
  void run(order)
})

/** The last word is not followed by the end: that would overtake it. The parent ends this process. */
async function run(order: ApplyOrder): Promise<void> {
  try {
    if ((await apply(order)) === 'cancelled') process.exit()
    say({ kind: 'applied' })
  } catch (error) {
    if (!(error instanceof BoxError)) throw error
    say({ kind: 'failed', code: error.code, message: messageOf(error) })
  }
}

async function apply({
  object: path,
  expected,
  base,
  target,
}: ApplyOrder): Promise<'applied' | 'cancelled'> {
  const object = await openBytes(path)
  let toldByteCount = Number.NEGATIVE_INFINITY
  try {
    return await applyObject(
      { brotli: new LinuxBrotli(), digests: new LinuxDigests() },
      {
        object,
        expected,
        base: base === null ? null : new LinuxReleaseTree(base),
        target: new LinuxReleaseTreeWriter(target),
        onProgress: (done, all) => {
          if (done < all && done - toldByteCount < all / REPORTS) return
          toldByteCount = done
          say({ kind: 'progress', done, all })
        },
        isCancelled: () => isCancelled,
      },
    )
  } finally {
    await object.close()
  }
}

/** A parent that is gone hears nothing, and is no fault of ours: "disconnect" follows. */
function say(report: ApplyReport): void {
  process.send?.(report, undefined, undefined, () => {})
}
