/** The same Lab in other languages: every word there is, chosen by the notebook or by the browser. */

import { afterEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { historyLabel } from "../src/lib/historyLabel";
import { labels, useLanguage } from "../src/lib/labels";
import { languages } from "../src/lib/languages";
import { FakeModel, fixture } from "./fakeModel";
import { all, get, nameOf } from "./queries";
import { closing, host } from "./stage";

let close: () => void;

afterEach(() => {
  useLanguage("en");
});

const open = (language: string): void => {
  close = closing(widget.render({ model: new FakeModel("lab", fixture(), [], language), el: host }));
};
const paths = (value: unknown, path = ""): string[] =>
  typeof value === "object" && value !== null && !/^\.(advised|actions|busy|reasons|historyWords)$/.test(path)
    ? Object.entries(value).flatMap(([key, inner]) => paths(inner, `${path}.${key}`))
    : [path];

describe.each(Object.keys(languages))("%s", (code) => {
  it("has every word, and none that is empty", () => {
    const table = languages[code];
    useLanguage("en");
    expect(paths(table).sort()).toEqual(paths(labels).sort());
    const words = JSON.stringify(table);
    expect(words).not.toContain('""');
  });

  it("tells the history in its words, and leaves indices, numbers and functions as they are", () => {
    useLanguage(code);
    const words = languages[code]?.historyWords ?? {};
    expect(Object.keys(words)).toEqual(Object.keys(languages.ko?.historyWords ?? {}));
    expect(historyLabel("fix (0, 0, 1) sin")).toBe(`${words.fix} (0, 0, 1) sin`);
    expect(historyLabel("constants of (1, 0, 0)")).toBe(`${words["constants of"]} (1, 0, 0)`);
    expect(historyLabel("fit 20, lamb 0.001")).toBe(`${words.fit} 20, lamb 0.001`);
    useLanguage("en");
    expect(historyLabel("prune 3 edges")).toBe("prune 3 edges");
  });

  it("is spoken by the whole Lab, by its buttons and its advice", () => {
    open(code);
    const table = languages[code];
    expect(get(host, "region", table?.lab ?? "")).toBeTruthy();
    expect(host.querySelector(".kanlab-root")?.getAttribute("lang")).toBe(code);
    const names = all(host, "button").map(nameOf);
    for (const word of [table?.train, table?.prune, table?.undo, table?.autoSymbolic]) expect(names).toContain(word);
    expect(get(host, "button", `${table?.actions.refine} 10`)).toBeTruthy();
  });
});

it("is the browser's where none was asked for", () => {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["fr-FR", "ja-JP", "en-US"]);
  open("");
  expect(get(host, "button", "学習")).toBeTruthy();
});

it("is English where no other is known", () => {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["fr-FR"]);
  open("");
  expect(get(host, "button", "Train")).toBeTruthy();
  close();
  open("tlh");
  expect(get(host, "button", "Train")).toBeTruthy();
});
