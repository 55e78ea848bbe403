/** The venue's clock: who leads, how far off it may be, and its last minutes as a line. */
import { byId, setAttribute, setClass, setHidden, setText } from './dom.js'
import { boundText, clockText, durationText, measuredText } from './words-clock.js'

/** As in index.html: `viewBox` of the line. */
const WIDTH = 600
const HEIGHT = 60

const isWell = state => state === 'following' || state === 'leading'

/** A box that shares its time with nobody has nothing to show. */
export function renderClock({ clock, clockPoints }) {
  const isHidden = clock === null || clock.interface === null
  setHidden(byId('clock-card'), isHidden)
  if (isHidden) return
  setText(byId('clock-bound'), boundText(clock))
  setText(byId('clock-text'), clockText(clock))
  setText(byId('clock-measured'), measuredText(clock))
  setClass(byId('clock-card'), 'is-bad', !isWell(clock.state))
  renderLine(clockPoints)
}

function renderLine(points) {
  const known = points.flatMap(({ offsetMicroseconds: offset }) =>
    offset === null ? [] : [offset],
  )
  setHidden(byId('clock-history'), known.length === 0)
  if (known.length === 0) return
  const most = Math.max(1, ...known.map(Math.abs))
  setAttribute(byId('clock-line'), 'd', pathOf(points, most))
  const minutes = Math.max(1, Math.round(points.length / 60))
  setText(byId('clock-scale'), `${minutes} min, at most ${durationText(most / 1e3)}`)
}

/** Newest to the right; where nobody was followed the line has a gap. */
function pathOf(points, most) {
  const from = WIDTH - points.length
  let isDown = false
  const steps = points.map(({ offsetMicroseconds: offset }, index) => {
    const verb = isDown ? 'L' : 'M'
    isDown = offset !== null
    if (offset === null) return ''
    return `${verb}${from + index} ${(HEIGHT / 2 - (offset / most) * (HEIGHT / 2 - 1)).toFixed(1)}`
  })
  return steps.join('')
}
