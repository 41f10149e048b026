/** All values below `value` whose key is `key`, at any depth. */
export function deep(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) => [...(name === key ? [below] : []), ...deep(below, key)]);
}
