/** Numbers and names as text. */

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export const NONE = "–";

export type MaybeNumber = number | null | undefined;

function shortExponent(text: string): string {
  return text.replace("e+", "e");
}

/** A loss or an error: two figures, `3.1e-4`, so that its width hardly changes. */
export function loss(x: MaybeNumber): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return NONE;
  if (x === 0) return "0";
  const size = Math.abs(x);
  return size >= 0.1 && size < 100 ? x.toPrecision(size < 1 ? 2 : 3) : shortExponent(x.toExponential(1));
}

/** A value of a node, to so many figures and with a real minus sign. */
export function signed(x: MaybeNumber, figures = 4): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return NONE;
  const size = Math.abs(x);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? shortExponent(x.toExponential(figures - 1)) : x.toPrecision(figures);
  return text.replace(/-/g, "−");
}

/** A number to six figures, without zeros that say nothing, and with a real minus sign. */
export function plain(x: number): string {
  return shortExponent(String(Number(x.toPrecision(6)))).replace(/-/g, "−");
}

/** A control's value: as short as it can be said, `1e-3`, `0.03`, `5`. */
export function value(x: number): string {
  if (x === 0) return "0";
  const rounded = Number(x.toPrecision(2));
  return Math.abs(rounded) < 0.01 || Math.abs(rounded) >= 1e5
    ? shortExponent(rounded.toExponential())
    : String(rounded);
}

export function r2(x: MaybeNumber): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return NONE;
  return x < -9.9 ? "< −9.9" : x.toFixed(5).replace("-", "−");
}

export function speed(x: MaybeNumber): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return NONE;
  return x >= 10 ? String(Math.round(x)) : x.toFixed(1);
}

/** A tick of an axis: `0.25`, `−1`, `2e5`. */
export function tick(x: number, step: number): string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = digits > 4 || Math.abs(x) >= 1e5 ? shortExponent(x.toExponential(1)) : x.toFixed(Math.min(digits, 4));
  return (Number(text) === 0 ? text.replace("-", "") : text).replace(/^-/, "−");
}

/** `10⁻³` */
export function decade(exponent: number): string {
  if (exponent === 0) return "1";
  const digits = [...String(Math.abs(exponent))].map((d) => SUPERSCRIPTS[Number(d)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";

export function subscript(n: number): string {
  return [...String(n)].map((d) => SUBSCRIPTS[Number(d)]).join("");
}

const WIDE =
  /[\u1100-\u115F\u2E80-\u9FFF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The width of a text in ems, estimated: wide scripts take one em a letter, others a good half. */
export function textWidth(text: string): number {
  let ems = 0;
  for (const { segment } of segmenter.segment(text)) ems += WIDE.test(segment) ? 1 : 0.58;
  return ems;
}

/** The text itself when it fits into `ems`, else its beginning and an ellipsis; never cuts a letter from its accent. */
export function truncate(text: string, ems: number): string {
  if (textWidth(text) <= ems) return text;
  let kept = "";
  let width = 0.8;
  for (const { segment } of segmenter.segment(text)) {
    width += WIDE.test(segment) ? 1 : 0.58;
    if (width > ems) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
