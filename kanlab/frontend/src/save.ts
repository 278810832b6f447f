/** The graph as a file: an SVG that looks the same anywhere, or a PNG of twice its size. */

import { h, s } from "./dom";

/** What the style sheet gives, written into each element. */
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "paint-order",
  "font-family",
  "font-size",
  "font-style",
  "font-weight",
  "text-anchor",
  "display",
  "opacity",
];
const SCALE = 2;

/** The picture as SVG text, with nothing of the page's but what is seen. */
export function svgOf(surface: SVGSVGElement): string {
  const copy = surface.cloneNode(true) as SVGSVGElement;
  const originals = [...surface.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((element, n) => {
    const style = getComputedStyle(originals[n] as Element);
    const text = STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";");
    for (const name of ["class", "role", "tabindex", "aria-label", "aria-pressed", "data-lm-suppress-shortcuts"])
      element.removeAttribute(name);
    if (element.tagName !== "title") element.setAttribute("style", text);
  });
  const { width, height } = sizeOf(surface);
  const background = getComputedStyle(surface.closest(".kanlab-frame") ?? surface).backgroundColor;
  copy.prepend(s("rect", { width, height, fill: background || "none" }));
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  for (const name of ["class", "style", "role"]) copy.removeAttribute(name);
  return new XMLSerializer().serializeToString(copy);
}

export function saveSvg(surface: SVGSVGElement): void {
  download(new Blob([svgOf(surface)], { type: "image/svg+xml" }), "kan.svg");
}

export async function savePng(surface: SVGSVGElement): Promise<void> {
  const { width, height } = sizeOf(surface);
  const picture = new Image(width, height);
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgOf(surface))}`;
  await picture.decode();
  const canvas = h("canvas", { width: width * SCALE, height: height * SCALE });
  canvas.getContext("2d")?.drawImage(picture, 0, 0, width * SCALE, height * SCALE);
  canvas.toBlob((blob) => blob && download(blob, "kan.png"));
}

function sizeOf(surface: SVGSVGElement): { width: number; height: number } {
  return { width: Number(surface.getAttribute("width")), height: Number(surface.getAttribute("height")) };
}

function download(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
