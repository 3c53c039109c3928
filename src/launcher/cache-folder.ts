import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/lguest` or `~/.cache/lguest` (XDG Base Directory Specification: only absolute paths count). */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(environment['HOME'] || homedir(), '.cache'), 'lguest');
}
