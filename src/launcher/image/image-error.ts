import { LaunchError } from '../../vm/index.js';

/** The default guest cannot be had; the message is a whole sentence for people. */
export class ImageError extends LaunchError {}

/** Package lists, packages, what is half done and the image itself; 75 MB of it stay. */
export const BUILD_BYTES = 250_000_000;

/** The errno name of what `node:fs` or `node:child_process` threw; undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Makes a sentence of a failed write below the cache directory. */
export function explainCacheError(error: unknown, folder: string): unknown {
  const elsewhere = 'set XDG_CACHE_HOME to a folder elsewhere';
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ImageError(
        `the disk with ${folder} is full: the default guest needs ${BUILD_BYTES / 1e6} MB while it is built; free some or ${elsewhere}.`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ImageError(`${folder} cannot be written by you: change that or ${elsewhere}.`);
    case 'ENOTDIR':
    case 'EEXIST':
      return new ImageError(`${folder} is not a folder or lies in a file: remove what is there or ${elsewhere}.`);
    default:
      return error;
  }
}
