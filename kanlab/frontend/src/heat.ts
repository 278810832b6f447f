/** A node's map as a picture: the accent colour, the more of it the greater the value. */

const FALLBACK = "#0067a3";

/** The accent of the theme that is really there, as red, green, blue. */
export function accentOf(element: Element): [number, number, number] {
  const text = getComputedStyle(element).getPropertyValue("--kanlab-accent").trim();
  const hex = /^#([0-9a-f]{6})$/i.exec(text)?.[1] ?? FALLBACK.slice(1);
  const value = Number.parseInt(hex, 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** The picture's address, drawn `size` pixels wide; round ones leave the corners out. Null where nothing can draw. */
export function heatPicture(
  pixels: Uint8Array,
  side: number,
  size: number,
  [red, green, blue]: [number, number, number],
  round: boolean,
): string | null {
  if (globalThis.CanvasRenderingContext2D === undefined) return null;
  const small = canvas(side);
  const large = canvas(size);
  if (!small || !large) return null;
  const image = small.createImageData(side, side);
  pixels.forEach((value, n) => {
    image.data.set([red, green, blue, 12 + Math.round(value * 0.9)], 4 * n);
  });
  small.putImageData(image, 0, 0);
  if (round) {
    large.beginPath();
    large.arc(size / 2, size / 2, size / 2, 0, 2 * Math.PI);
    large.clip();
  }
  large.imageSmoothingEnabled = true;
  large.imageSmoothingQuality = "high";
  large.drawImage(small.canvas, 0, 0, size, size);
  return large.canvas.toDataURL();
}

function canvas(size: number): CanvasRenderingContext2D | null {
  const element = document.createElement("canvas");
  element.width = element.height = size;
  return element.getContext("2d");
}
