import type { Opcode } from './questions.js';

export function explain(_opcode: Opcode, _undefinedThere: boolean): string | undefined {
  return undefined;
}
