/** Which release runs, which one is to come, and what is in its way. */
import { byId, make, renderList, setClass, setHidden, setText } from './dom.js'
import { isBad, releaseText, slotTexts, waitsFor } from './words-release.js'

/** A box that no updater speaks for has nothing to show. */
export function renderRelease({ ota }) {
  const isHidden = (ota ?? null) === null
  setHidden(byId('release-card'), isHidden)
  if (isHidden) return
  setText(byId('release-version'), ota.running?.version ?? '–')
  setText(byId('release-text'), releaseText(ota))
  setClass(byId('release-card'), 'is-bad', isBad(ota))
  renderList(
    byId('release-waits'),
    [...waitsFor(ota), ...slotTexts(ota)].map((words, place) => ({ words, place })),
    {
      keyOf: ({ place }) => String(place),
      create: () => make('li', 'quiet', []),
      update: (item, { words }) => setText(item, words),
    },
  )
}
