/** The labels of history entries in the view's language: the kernel writes them in English, for scripts and files. */

import { labels } from "./labels";

/** Known words are replaced, longest first; indices, numbers and names of functions stay as they are. */
export function historyLabel(label: string): string {
  const known = Object.keys(labels.historyWords).sort((a, b) => b.length - a.length);
  if (known.length === 0) return label;
  return label.replace(
    new RegExp(`\\b(${known.join("|")})\\b(?![(^])`, "g"),
    (word) => labels.historyWords[word] ?? word,
  );
}
