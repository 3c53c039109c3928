/**
 * The talk with bench/c/runner.c over a serial line, on which a kernel may put in a word of its own. Bytes are Latin-1
 * characters here.
 */

/** What the runner says about a program that it ran. */
export interface Answer {
  /** As a shell has it; 128 and the signal after one. */
  status: number;
  /** Processor time by the clock of whoever ran it. */
  processorMs: number;
  /** Standard output and error, cut after 16 KB. */
  output: string;
}

export const READY = '@@ready';

export function renderRequest(id: number, words: readonly string[]): string {
  return `${[id, ...words].join('\t')}\n`;
}

/** The answer to request `id`, if all of it is in `received`. */
export function findAnswer(received: string, id: number): Answer | undefined {
  const head = new RegExp(`@@bench ${id} (\\d+) (\\d+) (\\d+)\\r?\\n`).exec(received);
  if (head === null) return undefined;
  const start = head.index + head[0].length;
  const end = received.indexOf(`\n@@end ${id}\n`, start);
  if (end < 0) return undefined;
  const [, status, microseconds, bytes] = head.map(Number) as [number, number, number, number];
  // Longer than it says: the kernel spoke in between, and whoever compares will see it.
  const output = received.slice(start, Math.max(end, start + bytes));
  return { status, processorMs: microseconds / 1000, output };
}
