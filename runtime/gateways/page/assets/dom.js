/** The little that the page needs of a framework: touch the document only where something changed. */

/** @returns the element of that id, which index.html has */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no ${id}`)
  return element
}

export function make(tag, className, children = []) {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children)
  return element
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

export function setClass(element, name, isOn) {
  if (element.classList.contains(name) !== isOn) element.classList.toggle(name, isOn)
}

export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden
}

export function setDisabled(button, isDisabled) {
  if (button.disabled !== isDisabled) button.disabled = isDisabled
}

/**
 * Makes the children of `parent` those of `items`, in order, keeping the element of each key.
 * `create(item)` gives a new element; `update(element, item)` fills it in each time. Of items with the same key the
 * second is another one, and so on: each has one element, however often it is drawn.
 */
export function renderList(parent, items, { keyOf, create, update }) {
  const known = new Map([...parent.children].map(child => [child.dataset.key, child]))
  const counts = new Map()
  let place = parent.firstElementChild
  for (const item of items) {
    const key = uniqueKey(String(keyOf(item)), counts)
    let element = known.get(key)
    known.delete(key)
    if (!element) {
      element = create(item)
      element.dataset.key = key
    }
    if (element === place) place = place.nextElementSibling
    else parent.insertBefore(element, place)
    update(element, item)
  }
  for (const left of known.values()) left.remove()
}

function uniqueKey(key, counts) {
  const count = (counts.get(key) ?? 0) + 1
  counts.set(key, count)
  return count === 1 ? key : `${key} (${count})`
}
