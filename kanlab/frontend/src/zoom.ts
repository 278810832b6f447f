/** Zoom and pan of the graph: Ctrl+wheel or the buttons zoom, dragging pans, "Fit" goes back. */

import { button } from "./controls";
import { type Disposer, h } from "./dom";
import { labels } from "./lib/labels";

const MOST = 12;
const FACTOR = 1.35;
/** A pointer that moved less than this has clicked, not dragged. */
const CLICK = 4;

export interface Zoom {
  readonly scale: number;
  element: HTMLElement;
}

export function createZoom(
  surface: SVGSVGElement,
  content: SVGGElement,
  onScale: () => void,
  disposer: Disposer,
): Zoom {
  let scale = 1;
  let x = 0;
  let y = 0;

  function apply(): void {
    if (scale === 1 && x === 0 && y === 0) content.removeAttribute("transform");
    else content.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
    fit.disabled = scale === 1 && x === 0 && y === 0;
    zoomOut.disabled = scale <= 1;
    zoomIn.disabled = scale >= MOST;
  }

  function zoom(factor: number, at?: { x: number; y: number }): void {
    const { width, height } = surface.getBoundingClientRect();
    const centre = at ?? { x: width / 2, y: height / 2 };
    const next = Math.min(MOST, Math.max(1, scale * factor));
    x = centre.x - ((centre.x - x) * next) / scale;
    y = centre.y - ((centre.y - y) * next) / scale;
    scale = next;
    hold(width, height);
    apply();
    onScale();
  }

  /** Part of the graph always stays in sight. */
  function hold(width: number, height: number): void {
    x = Math.min(width * 0.75, Math.max(width * 0.25 - width * scale, x));
    y = Math.min(height * 0.75, Math.max(height * 0.25 - height * scale, y));
  }

  const zoomIn = button("+", () => zoom(FACTOR), { name: labels.zoomIn, hint: labels.zoomIn });
  const zoomOut = button("−", () => zoom(1 / FACTOR), { name: labels.zoomOut, hint: labels.zoomOut });
  const fit = button(
    labels.fit,
    () => {
      scale = 1;
      x = y = 0;
      apply();
      onScale();
    },
    { name: labels.fit },
  );
  apply();

  const wheel = (event: WheelEvent) => {
    // Without Ctrl the wheel scrolls the notebook, as everywhere else.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, top } = surface.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.004), { x: event.clientX - left, y: event.clientY - top });
  };
  surface.addEventListener("wheel", wheel, { passive: false });
  disposer.add(() => surface.removeEventListener("wheel", wheel));

  let start: { clientX: number; clientY: number; x: number; y: number } | null = null;
  let dragged = false;
  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = { clientX: event.clientX, clientY: event.clientY, x, y };
    dragged = false;
  });
  surface.addEventListener("pointermove", (event) => {
    if (!start || event.buttons === 0) return;
    const dx = event.clientX - start.clientX;
    const dy = event.clientY - start.clientY;
    if (!dragged && Math.hypot(dx, dy) < CLICK) return;
    if (!dragged) surface.setPointerCapture(event.pointerId);
    dragged = true;
    surface.classList.add("kanlab-dragging");
    x = start.x + dx;
    y = start.y + dy;
    const { width, height } = surface.getBoundingClientRect();
    hold(width, height);
    // Moved as one picture while it is dragged, painted anew only where it comes to rest.
    surface.style.transform = `translate(${x - start.x}px, ${y - start.y}px)`;
  });
  for (const event of ["pointerup", "pointercancel"]) {
    surface.addEventListener(event, () => {
      start = null;
      surface.classList.remove("kanlab-dragging");
      surface.style.transform = "";
      apply();
    });
  }
  // The click at the end of a drag selects nothing.
  surface.addEventListener(
    "click",
    (event) => {
      if (dragged) event.stopPropagation();
      dragged = false;
    },
    true,
  );

  return {
    element: h("div", { class: "kanlab-zoom kanlab-buttons" }, zoomOut, zoomIn, fit),
    get scale() {
      return scale;
    },
  };
}
