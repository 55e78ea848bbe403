/**
 * Takes every step, in order, also after one that failed; then throws the first failure. For stopping: what cannot be
 * closed is no reason to leave the rest open.
 */
export async function closeAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps)
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0) throw failures[0]
}
