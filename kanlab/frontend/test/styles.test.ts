/** The styles are page-global: they may touch nothing but our own elements, and name colours in one file only. */

import { describe, expect, it } from "vitest";

const sheets = import.meta.glob("../src/**/*.css", { eager: true, import: "default", query: "?raw" }) as Record<
  string,
  string
>;

function selectorsOf(css: string): string[] {
  const preludes = [...css.replace(/\/\*.*?\*\//gs, "").matchAll(/([^{};]+)\{/g)].map((match) =>
    (match[1] ?? "").trim(),
  );
  return preludes
    .filter((prelude) => !prelude.startsWith("@"))
    .flatMap((prelude) => prelude.replace(/\([^()]*\)/g, "()").split(","))
    .map((selector) => selector.trim());
}

it("finds the style sheets and their selectors", () => {
  expect(Object.keys(sheets).length).toBeGreaterThan(6);
  expect(selectorsOf("@media x { a:is(b, c) > d, e { color: red } }")).toEqual(["a:is() > d", "e"]);
});

describe.each(Object.entries(sheets))("%s", (path, css) => {
  it("begins every selector with .kanlab-", () => {
    expect(selectorsOf(css).filter((selector) => !selector.startsWith(".kanlab-"))).toEqual([]);
  });

  it("fetches nothing and has no colour of its own, unless it is the theme", () => {
    expect(css).not.toMatch(/url\(|https?:/);
    if (!path.endsWith("theme.css")) expect(css).not.toMatch(/#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(/i);
  });

  it("sets no text smaller than 12 px", () => {
    const sizes = [...css.matchAll(/font(?:-size)?:[^;]*?([\d.]+)px/g)].map((match) => Number(match[1]));
    expect(Math.min(12, ...sizes)).toBe(12);
  });
});
