/** The nodes' pictures, edges switched off and on in the graph, and the graph as a file. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import widget from "../src/index";
import { DecodeError } from "../src/lib/decode";
import { decodePictures, histogramPath, pictureOf } from "../src/lib/pictures";
import { svgOf } from "../src/save";
import { FakeModel, fixture, nextFrame } from "./fakeModel";
import { all, get, press } from "./queries";
import { closing, host } from "./stage";

const NODES = 5;
const header = (shape: string, side: number) => ({
  kind: "nodes",
  version: fixture().state.version,
  shape,
  side,
  ranges: Array.from({ length: NODES }, () => [-1, 2]),
});

describe("decoding", () => {
  it("takes a buffer of exactly as many bytes as there are pixels", () => {
    const bytes = new Uint8Array(NODES * 4 + 1).subarray(1);
    bytes[4] = 7;
    const pictures = decodePictures(header("map", 2), new DataView(bytes.buffer, 1), NODES, "nodes");
    expect([...pictureOf(pictures, 1)]).toEqual([7, 0, 0, 0]);
    expect(() => decodePictures(header("map", 3), bytes, NODES, "nodes")).toThrow(DecodeError);
    expect(() => decodePictures(header("map", 2), bytes, NODES + 1, "nodes")).toThrow(DecodeError);
    expect(() => decodePictures(header("photo", 2), bytes, NODES, "nodes")).toThrow(DecodeError);
    expect(() => decodePictures(header("map", 2), "bytes", NODES, "nodes")).toThrow(DecodeError);
  });

  it("takes a snapshot's list", () => {
    const saved = { ...header("histogram", 2), pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9, 255] };
    expect([...pictureOf(decodePictures(saved, undefined, NODES, "nodes"), 4)]).toEqual([9, 255]);
  });

  it("draws bars from the bottom, the tallest as high as the box", () => {
    expect(histogramPath(Uint8Array.from([255, 0]), 10, 8)).toBe("M-5.0 4.0v-8.0h5.0v8.0z");
  });
});

describe("in the graph", () => {
  let model: FakeModel;
  beforeEach(() => {
    model = new FakeModel("graph", fixture());
    closing(widget.render({ model, el: host }));
  });
  const edge = (name: string) => all(host, "button").find((one) => one.getAttribute("aria-label") === name) as Element;

  it("histograms are drawn in the nodes", async () => {
    model.receive(header("histogram", 2), [Uint8Array.from({ length: 2 * NODES }, () => 255)]);
    await nextFrame();
    expect(host.querySelectorAll(".kanlab-node-bars[d]")).toHaveLength(NODES);
  });

  it("pictures of another structure are left alone", async () => {
    const complaints = vi.spyOn(console, "debug").mockImplementation(() => undefined);
    model.receive({ ...header("histogram", 2), version: 99 }, [new Uint8Array(3)]);
    await nextFrame();
    expect(complaints).not.toHaveBeenCalled();
    expect(host.querySelectorAll(".kanlab-node-bars[d]")).toHaveLength(0);
  });

  it("each input has its share of the output below its name", async () => {
    const shares = [...host.querySelectorAll(".kanlab-node-share[d]")];
    expect(shares).toHaveLength(2);
  });

  it("Delete and a double click switch an edge off, and on again", () => {
    press(edge("edge (0, 0, 1) spline"), "Delete");
    edge("edge (0, 1, 0) spline").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    press(edge("edge (0, 1, 1) pruned"), "Delete");
    expect(model.commands.filter(([name]) => name !== "select")).toEqual([
      ["remove_edge", { edge: [0, 0, 1] }],
      ["remove_edge", { edge: [0, 1, 0] }],
      ["restore_edge", { edge: [0, 1, 1] }],
    ]);
  });

  it("is saved as an SVG of its own, with nothing of the page's", () => {
    const surface = get(host, "group", "network graph") as unknown as SVGSVGElement;
    const parsed = new DOMParser().parseFromString(svgOf(surface), "image/svg+xml");
    expect(parsed.querySelector("parsererror")).toBeNull();
    expect(parsed.querySelectorAll("[class], [role], [tabindex]")).toHaveLength(0);
    expect(parsed.documentElement.getAttribute("viewBox")).toMatch(/^0 0 \d+ \d+/);
    expect(parsed.querySelectorAll("path").length).toBeGreaterThan(10);
    expect(surface.querySelectorAll(".kanlab-edge").length).toBe(6); // the graph itself is as it was
  });
});
