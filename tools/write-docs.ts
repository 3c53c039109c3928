/**
 * npm run docs: writes what the documents take from the sources, i.e. docs/options.md and the option list in the
 * README, both from the Launcher's option table. `test/architecture` fails when they are out of date.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderHelp, renderOptionsPage } from '../src/launcher/help.js';

const BLOCK = /(<!-- options[^>]*-->\n)[\s\S]*?(<!-- end of options -->)/;

/** The generated documents: path and what it should contain. */
export function renderDocuments(): { path: string; content: string }[] {
  const readme = readFileSync('README.md', 'utf8');
  if (!BLOCK.test(readme)) throw new Error('README.md has lost its <!-- options --> block');
  const options = `\`\`\`\n${renderHelp().trimEnd()}\n\`\`\`\n`;
  return [
    { path: 'docs/options.md', content: renderOptionsPage() },
    { path: 'README.md', content: readme.replace(BLOCK, (_, start, end) => `${start}${options}${end}`) },
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, content } of renderDocuments()) writeFileSync(path, content);
}
