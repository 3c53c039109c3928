import { closeSync, openSync, writeSync } from 'node:fs';
import { describeFileError } from '../platform/node.js';
import type { FileProblem } from '../platform/platform.js';
import { LaunchError } from '../vm/index.js';

/** A file that we write, opened before the guest runs: nobody should learn after an hour that it cannot be. */
export interface OutputFile {
  /** Throws `LaunchError` when the disk is full or has gone. */
  write(text: string): void;
  close(): void;
}

const SENTENCES: Record<FileProblem, (path: string, option: string) => string> = {
  missing: (path, option) =>
    `${path} cannot be written: the folder does not exist; create it or give --${option} another name.`,
  directory: (path, option) => `${path} is a directory: give --${option} the name of a file.`,
  forbidden: (path, option) => `${path} may not be written by you: give --${option} another name.`,
  unreadable: (path, option) => `${path} cannot be written: give --${option} another name.`,
};

/** Creates or empties the file that `--option=path` named. Throws `LaunchError`. */
export function openOutputFile(path: string, option: string): OutputFile {
  const attempt = <Result>(action: () => Result): Result => {
    try {
      return action();
    } catch (error) {
      const { problem, detail } = describeFileError(path, error);
      const sentence = SENTENCES[problem](path, option);
      throw new LaunchError(problem === 'unreadable' ? sentence.replace(':', ` (${detail}):`) : sentence);
    }
  };
  const fd = attempt(() => openSync(path, 'w'));
  return {
    write(text) {
      const bytes = Buffer.from(text);
      // A file may take less than all of it, e.g. when it is a pipe.
      for (let done = 0; done < bytes.length; ) done += attempt(() => writeSync(fd, bytes, done));
    },
    close: () => closeSync(fd),
  };
}
