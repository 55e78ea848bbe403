/** Of more than `most`, those that were set first give way: what is remembered of a network or an evening stays bounded. */
export function forgetOldest<Key>(kept: Map<Key, unknown>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return
    kept.delete(key)
  }
}
