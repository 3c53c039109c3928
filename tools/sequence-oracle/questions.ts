/** Makes up programs that mean the same in 32-bit and in 64-bit mode, and what they begin with. */

import { FlagKeeper } from '../../test/jit/flag-keeper.js';
import { CodeGenerator, startRegisters } from '../../test/jit/random-code.js';
import { RandomNumbers } from '../../test/jit/random-numbers.js';
import { NUMBERS_AT, randomNumbers } from '../../test/jit/random-sse.js';
import { BASE, DATA_PAGES, DATA_PAGES_BYTES, type Question } from './layout.js';

const flags = new FlagKeeper();

/** Registers, flags, XMM registers and data of program `seed`. */
export function makeStart(seed: number): Pick<Question, 'registers' | 'eflags' | 'xmm' | 'data'> {
  const random = new RandomNumbers(seed + 1);
  const data = Uint8Array.from({ length: DATA_PAGES_BYTES }, () => (random.chance(30) ? 0 : random.next() & 0xff));
  const numbers = randomNumbers(random);
  data.set(numbers, BASE + NUMBERS_AT - DATA_PAGES);
  const registers = startRegisters(random, BASE).map((value) => value >>> 0);
  return { registers, eflags: 0x202 | (random.next() & 0x8d5), xmm: numbers.slice(0, 128), data };
}

export function makeQuestion(seed: number): Question {
  flags.undefinedFlags = 0;
  const code = new CodeGenerator(new RandomNumbers(seed), { base: BASE, flags }).program();
  return { seed, ...makeStart(seed), code, undefinedFlags: flags.undefinedFlags };
}
