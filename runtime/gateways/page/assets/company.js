/** The timecode that comes in and goes out, and the other boxes of the venue. */
import { byId, make, renderList, setAttribute, setClass, setHidden, setText } from './dom.js'
import {
  isThere,
  memberText,
  outputText,
  timecodeFigures,
  timecodeText,
  venueText,
} from './words-company.js'

const line = () => make('li', 'device', [make('i'), make('b'), make('small'), make('p')])

function fill(item, [name, figures, text], isWell) {
  for (const [index, words] of [name, figures, text].entries())
    setText(item.children[index + 1], words)
  setAttribute(item, 'data-state', isWell ? 'ready' : 'faulty')
}

const isBad = ({ state, trouble }) => trouble !== null || state === 'lost' || state === 'flywheel'

/** A box that neither follows nor sends any has nothing to show. */
export function renderTimecode({ timecode }) {
  const isHidden = timecode === null || (timecode.source === null && timecode.outputs.length === 0)
  setHidden(byId('timecode-card'), isHidden)
  if (isHidden) return
  setText(byId('timecode-position'), timecode.position ?? '–')
  setText(byId('timecode-text'), timecodeText(timecode))
  setText(byId('timecode-figures'), timecodeFigures(timecode))
  setClass(byId('timecode-card'), 'is-bad', isBad(timecode))
  // Several may be sent in one way: their place tells them apart.
  renderList(
    byId('timecode-outputs'),
    timecode.outputs.map((output, place) => ({ ...output, place })),
    {
      keyOf: ({ place }) => String(place),
      create: line,
      update: (item, output) =>
        fill(item, [output.kind, output.rate, outputText(output)], output.trouble === null),
    },
  )
}

/** A box alone has no others to show. */
export function renderVenue({ venue }) {
  setHidden(byId('venue-card'), venue === null)
  if (venue === null) return
  const there = venue.members.filter(isThere).length
  setText(byId('venue-count'), `${there} of ${venue.members.length}`)
  setText(byId('venue-text'), venueText(venue))
  setClass(byId('venue-card'), 'is-bad', venue.trouble !== null || there < venue.members.length)
  renderList(byId('venue-members'), venue.members, {
    keyOf: ({ box }) => box,
    create: line,
    update: (item, member) => {
      const isWell = isThere(member) && member.isSameShow && member.isProven
      const delivery = `${member.deliveryP99Ms.toFixed(1)} ms`
      fill(item, [member.box, delivery, memberText(member)], isWell)
    },
  })
}
