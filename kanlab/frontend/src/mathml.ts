/** The kernel's MathML, parsed as XML and copied element by element: what is not mathematics does not come through. */

import { h } from "./dom";

const MATHML = "http://www.w3.org/1998/Math/MathML";

const ELEMENTS = new Set(
  `math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts
  mprescripts none mtable mtr mtd mstyle mpadded mphantom merror semantics mfenced`.split(/\s+/),
);
const ATTRIBUTES = new Set(
  `mathvariant displaystyle scriptlevel stretchy fence separator form lspace rspace largeop movablelimits accent
  accentunder linethickness columnalign rowalign columnspan rowspan width height depth voffset dir display data-number`.split(
    /\s+/,
  ),
);
/** The named entities that mathematics needs; XML itself knows five. */
const ENTITIES: Record<string, string> = {
  InvisibleTimes: "\u2062",
  ApplyFunction: "\u2061",
  InvisibleComma: "\u2063",
  ExponentialE: "e",
  ImaginaryI: "i",
  pi: "π",
  phi: "φ",
  infin: "∞",
  hbar: "ℏ",
  nbsp: "\u00A0",
};

/** Parse; null when it is not well-formed or not mathematics. */
export function parseMathML(source: string): MathMLElement | null {
  const text = source.replace(/&([A-Za-z]+);/g, (whole, name: string) =>
    /^(amp|lt|gt|quot|apos)$/.test(name) ? whole : (ENTITIES[name] ?? `&amp;${name};`),
  );
  const wrapped = /^\s*<math[\s>]/.test(text) ? text : `<math>${text}</math>`;
  const parsed = new DOMParser().parseFromString(wrapped, "application/xml");
  if (parsed.getElementsByTagName("parsererror").length > 0) return null;
  const copy = clean(parsed.documentElement);
  return copy instanceof Element && copy.localName === "math" ? (copy as MathMLElement) : null;
}

/** The mathematics as an element; as text where it is not well-formed. */
export function mathOf(source: string, text: string): Element {
  const math = parseMathML(source);
  math?.setAttribute("display", "block");
  return math ?? h("code", {}, text);
}

function clean(source: Element): Node | null {
  if (!ELEMENTS.has(source.localName)) return null;
  if (source.localName === "mfenced") return fenced(source);
  const copy = document.createElementNS(MATHML, source.localName);
  for (const { name, value } of source.attributes) if (ATTRIBUTES.has(name)) copy.setAttribute(name, value);
  copy.append(...children(source));
  return copy;
}

function children(source: Element): Node[] {
  const nodes: Node[] = [];
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) nodes.push(document.createTextNode(child.textContent ?? ""));
    else if (child.nodeType === Node.ELEMENT_NODE) {
      const copy = clean(child as Element);
      if (copy) nodes.push(copy);
    }
  }
  return nodes;
}

/** Browsers no longer draw `mfenced`: write its parentheses and commas out. */
function fenced(source: Element): Node {
  const row = document.createElementNS(MATHML, "mrow");
  const operator = (text: string) => {
    const mo = document.createElementNS(MATHML, "mo");
    mo.textContent = text;
    return mo;
  };
  row.append(operator(source.getAttribute("open") ?? "("));
  children(source)
    .filter((child) => child.nodeType === Node.ELEMENT_NODE)
    .forEach((child, n) => {
      if (n > 0) row.append(operator(source.getAttribute("separators")?.trim()[0] ?? ","));
      row.append(child);
    });
  row.append(operator(source.getAttribute("close") ?? ")"));
  return row;
}
