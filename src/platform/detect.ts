import type { Platform } from './platform.js';

/** The platform this code runs on. Loaded on demand, so that a browser never sees Node's modules. */
export async function detectPlatform(): Promise<Platform> {
  const node = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
  if (node !== undefined) return (await import('./node.js')).createNodePlatform();
  return (await import('./browser.js')).createBrowserPlatform();
}
