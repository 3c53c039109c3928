import type { Node } from './node.js';

/** Helpers that change neither registers nor arithmetic flags. */
export const KEEPS_VARIABLES: ReadonlySet<string> = new Set([
  'loadSegment',
  'requireLevel0',
  'requireProtectedLevel0',
  'readControl',
  'writeControl',
  'readDebug',
  'writeDebug',
  'clts',
  'invlpg',
  'lldt',
  'ltr',
  'portRead',
  'portWrite',
]);

export function sameNodes(a: readonly Node[], b: readonly Node[]): boolean {
  return a.every((node, i) => node === b[i]);
}
