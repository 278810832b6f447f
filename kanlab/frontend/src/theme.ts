/** Light or dark: told from the background that is really behind the view, and told again when the theme changes. */

import type { Disposer } from "./dom";

/** A theme's style sheet may arrive some time after its name. */
const AGAIN_AFTER = [60, 400];

export function followTheme(root: HTMLElement, disposer: Disposer): void {
  const timers: ReturnType<typeof setTimeout>[] = [];
  const apply = () => {
    const dark = isDark(root);
    root.classList.toggle("kanlab-dark", dark);
    root.classList.toggle("kanlab-light", !dark);
  };
  const changed = () => {
    apply();
    for (const timer of timers.splice(0)) clearTimeout(timer);
    for (const delay of AGAIN_AFTER) timers.push(setTimeout(apply, delay));
  };
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  disposer.add(() => {
    observer.disconnect();
    for (const timer of timers) clearTimeout(timer);
  });
  const preference = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
  if (preference) disposer.listen(preference, "change", changed);
  changed();
}

function isDark(root: HTMLElement): boolean {
  for (let element = root.parentElement; element; element = element.parentElement) {
    const luminance = luminanceOf(getComputedStyle(element).backgroundColor);
    if (luminance !== null) return luminance < 0.4;
  }
  const { documentElement: html, body } = document;
  if (html.getAttribute("theme") === "dark" || html.dataset.theme === "dark") return true;
  if (html.classList.contains("dark") || body.classList.contains("dark")) return true;
  return globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches === true;
}

/** Relative brightness 0 … 1 of `rgb(…)` or `color(srgb …)`, null when one can look through it. */
function luminanceOf(colour: string): number | null {
  const numbers = colour.match(/-?[\d.]+/g)?.map(Number);
  if (!numbers || numbers.length < 3) return null;
  const unit = colour.startsWith("color(") ? 1 : 255;
  const [r = 0, g = 0, b = 0, alpha = 1] = numbers;
  return alpha < 0.5 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / unit;
}
