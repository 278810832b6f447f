/** The keyboard in the graph: one tab stop, arrows from edge to edge, Enter opens, Space selects, Delete switches off and on. */

import { setAttribute } from "./dom";
import type { EdgeMark } from "./edges";

export interface RovingActions {
  select(mark: EdgeMark): void;
  open(mark: EdgeMark): void;
  remove(mark: EdgeMark): void;
}

export function createRoving(container: SVGGElement, marks: () => EdgeMark[], actions: RovingActions) {
  let current: EdgeMark | null = null;
  const reachable = () => marks().filter((mark) => mark.place.visible);

  /** The edges of one layer from left to right: by the node they lead to, then by the node they come from. */
  function layer(l: number): EdgeMark[] {
    return reachable()
      .filter(({ edge }) => edge.edge[0] === l)
      .sort((a, b) => a.edge.edge[2] - b.edge.edge[2] || a.edge.edge[1] - b.edge.edge[1]);
  }

  function neighbour(from: EdgeMark, key: string): EdgeMark | null {
    const [l] = from.edge.edge;
    const row = layer(l);
    if (key === "ArrowLeft") return row[row.indexOf(from) - 1] ?? null;
    if (key === "ArrowRight") return row[row.indexOf(from) + 1] ?? null;
    if (key === "Home") return row[0] ?? null;
    if (key === "End") return row.at(-1) ?? null;
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    const other = layer(key === "ArrowUp" ? l + 1 : l - 1);
    const distance = (mark: EdgeMark) => Math.abs(mark.place.x - from.place.x);
    return other.reduce<EdgeMark | null>(
      (best, mark) => (best && distance(best) <= distance(mark) ? best : mark),
      null,
    );
  }

  function setCurrent(mark: EdgeMark | null): void {
    if (current) setAttribute(current.element, "tabindex", -1);
    current = mark;
    if (mark) setAttribute(mark.element, "tabindex", 0);
  }

  function markOf(target: EventTarget | null): EdgeMark | null {
    const element = target instanceof Element ? target.closest(".kanlab-edge") : null;
    return marks().find((mark) => mark.element === element) ?? null;
  }

  container.addEventListener("focusin", (event) => setCurrent(markOf(event.target)));
  container.addEventListener("keydown", (event) => {
    const mark = markOf(event.target);
    if (!mark || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter") actions.open(mark);
    else if (event.key === " ") actions.select(mark);
    else if (event.key === "Delete") actions.remove(mark);
    else if (!/^(Arrow(Left|Right|Up|Down)|Home|End)$/.test(event.key)) return;
    else {
      const next = neighbour(mark, event.key);
      setCurrent(next ?? mark);
      next?.element.focus();
    }
    event.preventDefault();
  });

  return {
    markOf,
    setCurrent,
    /** After the structure changed: keep the tab stop, and the focus, on an edge that is still there. */
    refresh(): void {
      const all = reachable();
      if (current && all.includes(current)) return;
      const focused = current !== null && document.activeElement === current.element;
      const same = current && all.find((mark) => mark.edge.edge.join() === current?.edge.edge.join());
      setCurrent(same ?? all[0] ?? null);
      if (focused) current?.element.focus();
    },
  };
}
