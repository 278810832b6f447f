/** Decoders: check a value that came from outside, and give it a type. They throw `DecodeError`; callers ignore the message. */

export class DecodeError extends Error {}

export type Decoder<T> = (value: unknown, path: string) => T;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

function fail(path: string, wanted: string, value: unknown): never {
  throw new DecodeError(`${path}: expected ${wanted}, got ${value === null ? "null" : typeof value}`);
}

export const number: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isFinite(value) ? value : fail(path, "a finite number", value);

export const index: Decoder<number> = (value, path) =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : fail(path, "an index", value);

export const string: Decoder<string> = (value, path) =>
  typeof value === "string" ? value : fail(path, "a string", value);

export const boolean: Decoder<boolean> = (value, path) =>
  typeof value === "boolean" ? value : fail(path, "a boolean", value);

export function nullable<T>(inner: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === null || value === undefined ? null : inner(value, path));
}

export function list<T>(inner: Decoder<T>): Decoder<T[]> {
  return (value, path) =>
    Array.isArray(value) ? value.map((item, i) => inner(item, `${path}[${i}]`)) : fail(path, "a list", value);
}

/** A list of as many items as `inners`, each of its own type. */
export function tuple<T extends readonly unknown[]>(...inners: { [K in keyof T]: Decoder<T[K]> }): Decoder<T> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length !== inners.length) fail(path, `${inners.length} items`, value);
    return inners.map((inner, i) => inner(value[i], `${path}[${i}]`)) as unknown as T;
  };
}

export function oneOf<const T extends string>(...allowed: T[]): Decoder<T> {
  return (value, path) =>
    allowed.includes(value as T) ? (value as T) : fail(path, allowed.map((a) => `"${a}"`).join(" or "), value);
}

export const record: Decoder<Record<string, unknown>> = (value, path) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : fail(path, "an object", value);

/** An object with these fields; others are dropped. */
export function object<T extends Record<string, Decoder<unknown>>>(
  fields: T,
): Decoder<{ [K in keyof T]: Decoded<T[K]> }> {
  return (value, path) => {
    const source = record(value, path);
    const result: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(fields)) result[key] = inner(source[key], `${path}.${key}`);
    return result as { [K in keyof T]: Decoded<T[K]> };
  };
}
