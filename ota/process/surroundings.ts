/** The updater, the box and the card around the slots, as their care asks for them. */
import { linuxSpace } from '../../drivers/linux/space.js'
import type { Together } from '../updater/together.js'
import type { Updater } from '../updater/updater.js'
import type { Surroundings } from './audit.js'
import type { BoxLink } from './box-link.js'
import { isNobodys, whyNotQuiet } from './quiet.js'
import type { Settings } from './settings.js'

/** What is asked before anything is written against rot. */
export function surroundingsOf(
  { home, settings }: { readonly home: string; readonly settings: Settings },
  parts: { readonly updater: Updater; readonly box: BoxLink; readonly together: Together | null },
): Surroundings {
  const { policy } = settings.config
  const { updater, box, together } = parts
  return {
    whyNotNow: async () =>
      whyNotQuiet(updater.state(), await box.look(), {
        policy,
        isToBeTakenAgain: together?.isToBeTakenAgain ?? false,
      }),
    isNobodys: left => isNobodys(updater.state(), left),
    freeBytes: () => linuxSpace.free(home),
  }
}
