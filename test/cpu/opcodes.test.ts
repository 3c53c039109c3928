import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { EXCEPTIONS, explain } from '../../tools/opcode-oracle/exceptions.js';
import { OurOpcodes } from '../../tools/opcode-oracle/ours.js';
import { allOpcodes } from '../../tools/opcode-oracle/questions.js';

/** Which bytes are instructions, LOCK prefixes included: as a real processor has it (test/vectors/opcodes.md). */

test('undefined opcodes are those of a real processor, but for what is explained', () => {
  const opcodes = allOpcodes();
  const undefinedThere = gunzipSync(readFileSync('test/vectors/opcodes.bin.gz'));
  assert.equal(undefinedThere.length, opcodes.length, 'the questions changed: record again');
  const ours = new OurOpcodes();
  const used = new Set<unknown>();
  const wrong: string[] = [];
  opcodes.forEach((opcode, n) => {
    const theirs = undefinedThere[n] === 1;
    if (ours.isUndefined(opcode) === theirs) return;
    const exception = explain(opcode, theirs);
    if (exception) used.add(exception);
    else wrong.push(`${opcode.name} is ${theirs ? 'undefined' : 'defined'} there`);
  });
  assert.deepEqual(wrong, []);
  for (const exception of EXCEPTIONS) assert.ok(used.has(exception), `not needed: ${exception.reason}`);
});
