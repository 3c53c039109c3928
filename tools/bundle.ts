/**
 * Puts the modules of the command into one file, and those of the scripts that it starts by URL into one each: to find
 * and load a module alone costs Node a millisecond, and there are hundreds.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** `new URL('….js', import.meta.url)`: a script that is started. */
const SCRIPT_URL = /new URL\('(\.[^']+\.js)', import\.meta\.url\)/g;

/** Modules know of other files by where they are themselves: so they do in a bundle in `folder`. */
function keepUrls(folder: string, startScript: (path: string) => void): Plugin {
  return {
    name: 'urls',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const itself = relative(folder, path).split(sep).join('/');
        const text = (await readFile(path, 'utf8')).replace(SCRIPT_URL, (_, script: string) => {
          startScript(resolve(dirname(path), script));
          return `new URL('./${basename(script)}', $url)`;
        });
        const contents = text
          .replaceAll('import.meta.url', `new URL('${itself}', import.meta.url).href`)
          .replaceAll('$url', 'import.meta.url');
        return { contents };
      });
    },
  };
}

/** Writes `script` (a path) with all that it imports to `folder`, and the scripts that it starts. Rejects if it cannot. */
export async function writeBundles(script: string, folder: string): Promise<void> {
  const scripts = new Set([resolve(script)]);
  for (const entry of scripts) {
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // Node keeps the text: with comments it would be in characters of 16 bits. Names stay, for stack traces.
      minifyWhitespace: true,
      lineLimit: 120,
      outdir: folder,
      logLevel: 'silent',
      plugins: [keepUrls(resolve(folder), (path) => scripts.add(path))],
    });
  }
}
