/** Building and changing elements without a framework. Text goes in as text nodes only, never as HTML. */

type Attributes = Record<string, string | number | boolean | null | undefined>;
type Child = Node | string;

const SVG = "http://www.w3.org/2000/svg";

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

export function s<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

/** Set, or with null/undefined/false remove, an attribute; leaves it alone when it has that value already. */
export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Things to undo when a view is closed. */
export class Disposer {
  private readonly undo: (() => void)[] = [];

  add(undo: () => void): void {
    this.undo.push(undo);
  }

  listen(target: EventTarget, event: string, listener: (event: Event) => void): void {
    target.addEventListener(event, listener);
    this.add(() => target.removeEventListener(event, listener));
  }

  /** Calls back with the element's size, now and whenever it changes. */
  size(element: Element, callback: (width: number, height: number) => void): void {
    const { ResizeObserver } = globalThis;
    if (ResizeObserver === undefined) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) callback(entry.contentRect.width, entry.contentRect.height);
    });
    observer.observe(element);
    this.add(() => observer.disconnect());
  }

  dispose(): void {
    for (const undo of this.undo.splice(0)) undo();
  }
}
