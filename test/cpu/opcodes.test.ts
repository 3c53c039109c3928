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

test('opcodes of 32-bit mode alone, by the manual', () => {
  const ours = new OurOpcodes();
  const isUndefined = (...bytes: number[]): boolean => ours.isUndefined({ bytes, name: '' });
  // LES, LDS and BOUND want memory; AMD's system calls, 3DNow! and test registers are not there.
  for (const bytes of [
    [0xc4, 0xc0],
    [0xc5, 0xc0],
    [0x62, 0xc0],
    [0x0f, 0x05],
    [0x0f, 0x07],
    [0x0f, 0x0e],
    [0x0f, 0x0f, 0xc0, 0xb4],
    [0x0f, 0x24, 0xc0],
    [0x0f, 0x26, 0xc0],
  ])
    assert.ok(isUndefined(...bytes), bytes.join());
  // BCD, PUSHA, SALC, ICEBP, far transfers, ARPL, the alias of group 80.
  for (const opcode of [0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xd4, 0xd5, 0xd6, 0xf1, 0xce, 0x9a, 0xea, 0x63, 0x82])
    assert.ok(!isUndefined(opcode), opcode.toString(16));
  // LOCK
  for (const bytes of [[0x90], [0x63, 0x07], [0x06], [0xcd], [0xa4], [0x8e, 0x07], [0x40], [0x82, 0xc0]])
    assert.ok(isUndefined(0xf0, ...bytes), bytes.join());
  assert.ok(!isUndefined(0xf0, 0x82, 0x07));
});
