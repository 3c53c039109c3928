import { readFileSync } from 'node:fs';

/** The version in package.json, which lies above dist/ in a clone and in a published package alike. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
