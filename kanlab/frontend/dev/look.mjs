/** Screenshots of the dev page, and axe-core on it: `node dev/look.mjs [name…]`, files in dev/out/. */

import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "out");
mkdirSync(out, { recursive: true });
await build({
  entryPoints: [join(here, "dev.ts"), join(here, "dev.css")],
  bundle: true,
  format: "esm",
  target: "es2022",
  outdir: out,
});

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname).replace(/^\/$/, "/index.html");
  try {
    const body = readFileSync(join(here, path));
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${server.address().port}/index.html`;

const SHOTS = {
  hello: { query: "net=hello&select=0,1,2&running", width: 932 },
  dark: { query: "net=hello&select=0,1,2&running&theme=dark", width: 932 },
  hello2x: { query: "net=hello&select=0,1,2", width: 932, scale: 2 },
  fresh: { query: "net=fresh", width: 932 },
  pruned: { query: "net=pruned&select=0,1,2", width: 932 },
  exact: { query: "net=exact&select=0,0,0", width: 932 },
  narrow: { query: "net=hello&select=0,1,2&warning&error&busy", width: 512 },
  narrowdark: { query: "net=ten&theme=dark", width: 512 },
  ten: { query: "net=ten&select=0,2,3&long", width: 932 },
  big: { query: "net=big&theme=dark", width: 932 },
  deep: { query: "net=deep&select=0,0,0", width: 932 },
  product: { query: "net=product", width: 800 },
  one: { query: "net=one&select=0,0,0", width: 932 },
  wide: { query: "net=ten&select=0,1,2", width: 1900 },
  graph: { query: "net=hello&panel=graph&theme=dark", width: 600 },
  training: { query: "net=hello&panel=training", width: 700 },
  history: { query: "net=hello&panel=history", width: 932 },
};

const wanted = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
  ],
});
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let faults = 0;
for (const [name, { query, width, scale = 1 }] of Object.entries(SHOTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const page = await browser.newPage({ viewport: { width, height: 700 }, deviceScaleFactor: scale });
  page.on("pageerror", (error) => {
    faults += 1;
    console.error(`${name}: ${error.message}`);
  });
  await page.goto(`${base}?${query}`);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  for (const { id, nodes } of violations) {
    faults += 1;
    console.error(`${name}: axe ${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)}\n  ${nodes[0].failureSummary}`);
  }
  await page.close();
}
await browser.close();
server.close();
process.exitCode = faults > 0 ? 1 : 0;
