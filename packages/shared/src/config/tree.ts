/** Nested plain objects, as YAML gives them, addressed by paths. */
export type PlainObject = { readonly [key: string]: unknown };

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined. */
export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (isPlainObject(node) && Object.hasOwn(node, key) ? node[String(key)] : undefined),
    tree,
  );
}

/** An object that holds one value at a dotted path. */
export function treeOf(path: string, value: unknown): PlainObject {
  return path.split(".").reduceRight<unknown>((below, key) => ({ [key]: below }), value) as PlainObject;
}

/** `over` laid on `base`: groups are merged, values replaced. */
export function mergeTrees(base: PlainObject, over: PlainObject): PlainObject {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isPlainObject(below) && isPlainObject(value) ? mergeTrees(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** Every value that is no group, with its dotted path, in order. */
export function leavesOf(tree: PlainObject, prefix = ""): [path: string, value: unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isPlainObject(value) ? leavesOf(value, `${prefix}${key}.`) : [[prefix + key, value] as [string, unknown]],
  );
}
