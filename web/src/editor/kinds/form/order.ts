/** What stands at `from` put to `to`; the same list where nothing moves. */
export function moved<T>(order: readonly T[], from: number, to: number): readonly T[] {
  const one = order[from];
  if (one === undefined || from === to || to < 0 || to >= order.length) return order;
  const rest = order.filter((_, at) => at !== from);
  return [...rest.slice(0, to), one, ...rest.slice(to)];
}

/** The place that a key leads to from another one; null for any other key. */
export function target(key: string, at: number, count: number): number | null {
  switch (key) {
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'ArrowDown':
      return Math.min(count - 1, at + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
