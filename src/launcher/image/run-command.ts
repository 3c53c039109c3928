import { spawn } from 'node:child_process';
import { errorCode } from './image-error.js';

export interface CommandResult {
  /** Exit status; -1 after a signal. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  environment?: Readonly<Record<string, string | undefined>>;
  /** Lines the program writes to its descriptor 3. */
  onStatusLine?(line: string): void;
}

/** There is no such program. */
export class CommandMissing extends Error {}

/** Runs a program without input and collects what it says. Rejects with `CommandMissing` if there is none. */
export function runCommand(command: string, words: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      cwd: options.cwd,
      env: { ...(options.environment ?? process.env) },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const collected = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (text: string) => {
        collected[name] += text;
      });
    }
    let partial = '';
    (child.stdio[3] as NodeJS.ReadableStream).setEncoding('utf8').on('data', (text: string) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop()!;
      for (const line of lines) options.onStatusLine?.(line);
    });
    child.on('error', (error) => {
      reject(['ENOENT', 'EACCES'].includes(errorCode(error) ?? '') ? new CommandMissing(command) : error);
    });
    child.on('close', (status) => resolve({ status: status ?? -1, ...collected }));
  });
}
