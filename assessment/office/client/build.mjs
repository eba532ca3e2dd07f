// Builds the office's styles and scripts into assessment/office/static/dist.
import { mkdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static", "dist");
// The package exports its script only: dist/js/uswds.min.js.
const uswds = join(dirname(createRequire(import.meta.url).resolve("@uswds/uswds")), "..");

/** Compiles the Sass of our theme and finds USWDS's images and fonts where its package keeps them. */
const styles = {
  name: "styles",
  setup(build) {
    build.onLoad({ filter: /\.scss$/ }, (args) => {
      const { css, loadedUrls } = sass.compile(args.path, {
        loadPaths: [join(uswds, "..", "packages")],
        quietDeps: true,
        style: "expanded",
      });
      return { contents: css, loader: "css", watchFiles: loadedUrls.map((url) => fileURLToPath(url)) };
    });
    build.onResolve({ filter: /^uswds:/ }, (args) => ({
      path: join(uswds, args.path.slice("uswds:".length)),
    }));
  },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await esbuild.build({
  entryPoints: {
    office: join(here, "src", "office.ts"),
    map: join(here, "src", "map.ts"),
    "office-styles": join(here, "styles", "office.scss"),
  },
  outdir: out,
  bundle: true,
  minify: true,
  sourcemap: false,
  format: "esm",
  target: ["es2022"],
  loader: { ".woff2": "file", ".svg": "file", ".png": "file" },
  // Django's manifest storage hashes the names, so they stay plain here.
  assetNames: "assets/[name]",
  plugins: [styles],
  logLevel: "info",
});
