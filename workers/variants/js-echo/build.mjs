// Makes the component: `npm ci && node build.mjs ../../../wit js-echo.wasm`. `cargo xtask workers` does the same with the
// packages in target/tools. The API is called because the command line around it wants more to be installed.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";

const [witPath, output] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: fileURLToPath(new URL("js-echo.js", import.meta.url)),
  witPath,
  worldName: "worker",
  // What this worker does not use, it does not import.
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(output, component);
