// Builds navigate_safer/web/static: `npm ci --ignore-scripts && npm run build`.
// Everything a page loads comes from there; nothing is loaded from another host.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = process.env.NAVIGATE_SAFER_STATIC ?? join(here, "..", "static");

const VERSION_LENGTH = 12;
const SCRIPTS = ["app", "map", "chart", "draw"];
const STYLES = [
  join(modules, "govuk-frontend/dist/govuk/govuk-frontend.min.css"),
  join(modules, "@ministryofjustice/frontend/moj/moj-frontend.min.css"),
  join(here, "src/app.css"),
];
const ASSET_FOLDERS = [
  join(here, "src/assets"),
  join(modules, "@ministryofjustice/frontend/moj/assets"),
];

// GDS Transport is licensed for gov.uk alone, and the crown and the crest may not be shown
// elsewhere, so the packages' styles lose both before they are bundled.
function withoutGovernmentBrand(text) {
  return text
    .replace(/@font-face\s*\{[^}]*\}/g, "")
    .replace(/(\\?")?GDS Transport(\\?")?\s*,\s*/g, "")
    .replace(/\/\*! Copyright \(c\) 2011 by Margaret Calvert[\s\S]*?\*\//g, "")
    .replace(/url\(\/assets\/images\/govuk-crest\.svg\)/g, "none");
}

const brandPlugin = {
  name: "without-government-brand",
  setup(build) {
    const emComponents = /hmpps-electronic-monitoring-components[\\/]dist[\\/].*\.js$/;
    build.onLoad({ filter: emComponents }, ({ path }) => ({
      contents: withoutGovernmentBrand(readFileSync(path, "utf8")),
      loader: "js",
    }));
  },
};

async function buildScripts() {
  const result = await esbuild.build({
    entryPoints: SCRIPTS.map((name) => join(here, "src", `${name}.mjs`)),
    outdir: target,
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    metafile: true,
    legalComments: "none",
    logLevel: "warning",
    loader: { ".css": "text" },
    plugins: [brandPlugin],
  });
  return Object.keys(result.metafile.inputs).map((path) => join(here, path));
}

async function buildStyles() {
  const text = STYLES.map((path) =>
    withoutGovernmentBrand(readFileSync(path, "utf8").replace(/\/\*# sourceMappingURL[^*]*\*\//, "")),
  ).join("\n");
  const { code } = await esbuild.transform(text.replaceAll('@charset "UTF-8";', ""), {
    loader: "css",
    minify: true,
    legalComments: "none",
  });
  writeFileSync(join(target, "app.css"), code);
  return code;
}

function asset(path) {
  const found = ASSET_FOLDERS.map((folder) => join(folder, path)).find(existsSync);
  if (!found) {
    throw new Error(`app.css or layout.html names /assets/${path}, which no package has.`);
  }
  return readFileSync(found);
}

function copyImages(css) {
  // Only images that the styles name are shipped, so that no crown comes along unasked.
  const named = [...css.matchAll(/url\(["']?\/assets\/(images\/[^)"']+)["']?\)/g)].map((m) => m[1]);
  for (const path of new Set([...named, "images/favicon.svg"])) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), asset(path));
  }
}

function packageFolder(path) {
  const parts = path.split(sep);
  const at = parts.lastIndexOf("node_modules");
  if (at < 0) return null;
  const length = parts[at + 1].startsWith("@") ? 3 : 2;
  return parts.slice(0, at + length).join(sep);
}

// A package may carry others inside its own bundle; the bundler's region comments name them.
function carriedInside(path) {
  const regions = readFileSync(path, "utf8").matchAll(/\/\/#region node_modules\/(\S+)/g);
  const innermost = [...regions].map((match) => match[1].split("node_modules/").at(-1));
  return innermost.map((inside) => packageFolder(join(modules, inside)));
}

function licenceOf(folder) {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name));
  const texts = files.sort().map((name) => readFileSync(join(folder, name), "utf8").trim());
  const author = typeof about.author === "string" ? about.author : about.author?.name;
  const missing =
    `The package has no licence file; its package.json says ${about.license}` +
    `${author ? `, author ${author}` : ""}. Source: ${about.repository?.url ?? "not given"}`;
  const body = texts.length > 0 ? texts.join("\n\n") : missing;
  return `${about.name} ${about.version} (${about.license})\n\n${body}\n`;
}

function writeLicences(inputs) {
  const scripts = inputs.filter((path) => path.startsWith(modules));
  const folders = new Set([...scripts, ...STYLES].map(packageFolder).filter(Boolean));
  for (const path of scripts) {
    for (const folder of carriedInside(path)) {
      if (existsSync(join(folder, "package.json"))) folders.add(folder);
    }
  }
  const rule = `\n${"-".repeat(80)}\n\n`;
  writeFileSync(
    join(target, "LICENSES.txt"),
    "The scripts and styles in this folder contain the following packages.\n" +
      rule +
      [...folders].sort().map(licenceOf).join(rule),
  );
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function writeManifest() {
  const versions = filesUnder(target).map((path) => [
    relative(target, path).split(sep).join("/"),
    createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, VERSION_LENGTH),
  ]);
  const sorted = Object.fromEntries(versions.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(target, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const inputs = await buildScripts();
copyImages(await buildStyles());
writeLicences(inputs);
writeManifest();
