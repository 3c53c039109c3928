/**
 * Prints where our decoder and the processor of this machine disagree about what is an instruction, except for what
 * `exceptions.ts` explains; with a file name, records what the processor says:
 *
 *   node dist/tools/opcode-oracle/compare.js [FILE]
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { explain } from './exceptions.js';
import { OurOpcodes } from './ours.js';
import { allOpcodes } from './questions.js';

const opcodes = allOpcodes();
const folder = mkdtempSync(join(tmpdir(), 'opcode-oracle-'));
const program = join(folder, 'oracle');
const source = join(process.cwd(), 'tools/opcode-oracle/oracle.c');
execFileSync(process.env['CC'] ?? 'cc', ['-O1', '-Wall', '-no-pie', '-fno-pic', '-o', program, source], {
  stdio: 'inherit',
});
const input = new Uint8Array(16 * opcodes.length);
opcodes.forEach(({ bytes }, n) => {
  input[16 * n] = bytes.length;
  input.set(bytes, 16 * n + 1);
});
const answers = execFileSync(program, { input, maxBuffer: opcodes.length + 1 });
rmSync(folder, { recursive: true });
if (answers.length !== opcodes.length) throw new Error(`the oracle died at ${opcodes[answers.length]!.name}`);

const ours = new OurOpcodes();
let different = 0;
opcodes.forEach((opcode, n) => {
  const theirs = answers[n] === 1;
  if (ours.isUndefined(opcode) === theirs || explain(opcode, theirs) !== undefined) return;
  different++;
  console.log(`${opcode.name}: ${theirs ? 'undefined there' : 'defined there'}`);
});
console.log(`${opcodes.length} opcodes, ${different} differences without explanation`);
if (process.argv[2]) writeFileSync(process.argv[2], gzipSync(answers, { level: 9 }));
process.exitCode = different > 0 ? 1 : 0;
