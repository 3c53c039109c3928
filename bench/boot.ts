/** From the start of a process to the prompt of the default guest. */
import { Contestant, type ContestantCommand } from './contestant.js';
import type { Run } from './measurements.js';

const PROMPT = '~ # ';

/** Starts one, waits for its prompt, and ends it. Rejects with `ContestantError`. */
export async function bootOnce(command: ContestantCommand, signal: AbortSignal): Promise<Run> {
  const start = performance.now();
  const contestant = new Contestant(command, signal);
  try {
    await contestant.ready(PROMPT);
    const wallMs = performance.now() - start;
    return { wallMs, processorMs: contestant.processorMs(), status: 0, output: PROMPT };
  } finally {
    await contestant.stop();
  }
}
