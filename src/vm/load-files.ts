import type { BootFile } from '../boot/image.js';
import { FileError, type FileProblem, type Platform } from '../platform/platform.js';
import { LaunchError } from './launch-error.js';

/** What is wrong with a file, and what to do about it; `role` says what the file was to be ('the kernel'). */
const SENTENCES: Record<FileProblem, (path: string, role: string) => string> = {
  missing: (path, role) => `${path} does not exist: check the name of ${role}.`,
  directory: (path, role) => `${path} is a directory: name the file that is ${role}.`,
  forbidden: (path, role) => `${path} may not be read by you: change its permissions, or name another file as ${role}.`,
  unreadable: (path, role) => `${path} could not be read: check ${role} and the disk or network it is on.`,
};

/** One sentence about a file problem. */
export function describeFileProblem(error: FileError, role: string): string {
  const sentence = SENTENCES[error.problem](error.path, role);
  return error.problem === 'unreadable' && error.detail !== ''
    ? sentence.replace(':', ` (${error.detail}):`)
    : sentence;
}

/** The last part of a path: how messages call a file once it has been found. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1) || path;
}

/** The file itself, wherever it comes from. Rejects with `LaunchError`. */
export async function loadFile(platform: Platform, file: string | Uint8Array, role: string): Promise<BootFile> {
  if (typeof file !== 'string') return { name: role, bytes: file };
  try {
    return { name: baseName(file), bytes: await platform.readFile(file) };
  } catch (error) {
    if (error instanceof FileError) throw new LaunchError(describeFileProblem(error, role));
    throw error;
  }
}
