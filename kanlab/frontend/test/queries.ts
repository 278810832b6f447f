/** Finding elements as a screen reader does: by role and accessible name. */

const IMPLICIT: Record<string, string> = {
  button: "button",
  slider: 'input[type="range"]',
  combobox: "select",
  list: "ol, ul",
  spinbutton: 'input[type="number"]',
};

export function all(root: Element, role: string): HTMLElement[] {
  const implicit = IMPLICIT[role];
  const explicit = `[role="${role}"]`;
  return [...root.querySelectorAll<HTMLElement>(implicit ? `${explicit}, ${implicit}` : explicit)];
}

export function nameOf(element: Element): string {
  return element.getAttribute("aria-label") ?? element.textContent?.trim() ?? "";
}

/** The one element of this role and exact name; an error that lists the names there are when it is missing. */
export function get(root: Element, role: string, name: string): HTMLElement {
  const found = all(root, role).filter((element) => nameOf(element) === name);
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} of ${role} "${name}"; there are: ${all(root, role).map(nameOf).join(" | ")}`);
  return found[0];
}

export function press(element: Element, key: string, modifiers: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers });
  element.dispatchEvent(event);
  return event;
}

export function slide(element: Element, value: number): void {
  (element as HTMLInputElement).value = String(value);
  element.dispatchEvent(new Event("input", { bubbles: true }));
}
