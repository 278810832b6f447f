/** A place in the document for each test of a file; what a test shows there is closed after it. */

import { afterEach, beforeEach } from "vitest";

/** Where it is shown. */
export let host: HTMLElement;
let closings: (() => void)[] = [];

beforeEach(() => {
  host = document.createElement("div");
  document.body.append(host);
});
afterEach(() => {
  for (const close of closings) close();
  closings = [];
  host.remove();
});

/** Have something closed at the end of the test; returns the call that closes it, for tests that do so earlier. */
export function closing(close: () => void): () => void {
  closings.push(close);
  return close;
}
