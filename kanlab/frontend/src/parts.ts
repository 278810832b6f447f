/** The parts of the panels that a lesson may hide: `kanlab/widgets/_parts.py` has the same names. */

export const PARTS = {
  training: ["train", "step", "reset", "status", "lamb", "lamb_entropy", "grid", "optimizer", "more", "shape"],
  graph: ["prune", "zoom", "save"],
  inspector: ["plot", "bend", "constants", "fix", "remove", "candidates"],
  formula: ["check", "auto_symbolic", "discover", "snap", "simplify", "copy"],
  history: ["loss", "timeline", "undo", "compare", "script", "cell", "advice"],
} as const;

type Panel = keyof typeof PARTS;
export type Part = Panel | (typeof PARTS)[Panel][number];

/** Mark an element as a part (or one of several elements of it). */
export function part<T extends Element>(name: Part, element: T): T {
  element.setAttribute("data-kanlab-part", name);
  return element;
}

/** Show all parts but these; what is not a list of names hides nothing. */
export function hideParts(root: Element, hidden: unknown): void {
  const absent = new Set(Array.isArray(hidden) ? hidden : []);
  for (const element of root.querySelectorAll("[data-kanlab-part]"))
    element.classList.toggle("kanlab-absent", absent.has(element.getAttribute("data-kanlab-part")));
}
