/**
 * Records what objdump calls our instructions, for `test/debug/disassembler.test.ts`:
 *
 *   node dist/tools/native-oracle/record-disassembly.js FILE
 *
 * One line for each encoding, size and kind of operand: bits of code, bytes, text as objdump prints it.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseEncodings } from '../../src/isa/encoding.js';
import { INSTRUCTIONS } from '../../src/isa/index.js';
import { allForms, makeQuestion } from '../sse-oracle/questions.js';
import { Dice } from '../x87-oracle/questions.js';
import { makeTest } from './generator.js';
import { MODE_CODE16, MODE_FLAT } from './layout.js';
import { shapesOf } from './shapes.js';

/** Instructions stand apart by this many bytes, with NOPs between. */
const SLOT = 32;
const NOP = 0x90;

function disassembleAll(code: readonly Uint8Array[], bits: number): string[] {
  const image = new Uint8Array(code.length * SLOT).fill(NOP);
  code.forEach((bytes, i) => {
    image.set(bytes, i * SLOT);
  });
  const folder = mkdtempSync(join(tmpdir(), 'disassembly-'));
  const file = join(folder, 'code');
  writeFileSync(file, image);
  const machine = bits === 16 ? 'i8086' : 'i386';
  const options = ['-D', '-z', '-b', 'binary', '-m', machine, '-M', 'intel', '--insn-width=15', file];
  const output = execFileSync('objdump', options, { maxBuffer: 1 << 28 }).toString();
  rmSync(folder, { recursive: true });
  const texts: string[] = [];
  for (const line of output.split('\n')) {
    const match = /^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/.exec(line);
    const address = match ? Number.parseInt(match[1]!, 16) : 1;
    if (address % SLOT === 0) texts[address / SLOT] = match![2]!.trim();
  }
  return texts;
}

const file = process.argv[2];
if (file === undefined) throw new Error('which file?');
const dice = new Dice(1);
const lines: string[] = [];
for (const [mode, bits] of [
  [MODE_FLAT, 32],
  [MODE_CODE16, 16],
] as const) {
  // Those of SSE come from its own oracle.
  const others = parseEncodings(INSTRUCTIONS).filter(({ row }) => !row.compact);
  const shapes = others.flatMap((encoding) => [...shapesOf(encoding)]);
  const code = shapes
    .filter((shape) => shape.mode === mode)
    .map((shape) => makeTest(dice, shape))
    // Some tests have the end of a page in the middle of the instruction.
    .filter((test) => test.code.length < 15 && (test.codeAddress & 0xfff) === 0x800)
    .map((test) => test.code);
  if (bits === 32) code.push(...allForms().map((form) => Uint8Array.from(makeQuestion(dice, form).code)));
  const texts = disassembleAll(code, bits);
  code.forEach((bytes, i) => {
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    lines.push(`${bits} ${(i * SLOT).toString(16)} ${hex} ${texts[i]}`);
  });
}
writeFileSync(file, gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
console.log(`${lines.length} instructions`);
