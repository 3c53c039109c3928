import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FormatError } from '../../src/formats/format-error.js';
import { decodeXz, isXz } from '../../src/formats/xz.js';

/** What the fixtures hold: code-like bytes, calls to few targets with stray opcodes between them. */
function makeCalls(): Uint8Array {
  const out: number[] = [];
  const opcode = (byte: number, operand: number): void => {
    out.push(byte, operand & 255, (operand >> 8) & 255, (operand >> 16) & 255, operand >>> 24);
  };
  let x = 12345;
  while (out.length < 6000) {
    x = Number((BigInt(x) * 1103515245n + 12345n) & 0x7fff_ffffn);
    const kind = (x >> 16) % 8;
    if (kind < 3) opcode(0xe8 + (kind & 1), ((x >> 8) % 97) * 64 - (out.length + 5));
    else if (kind === 3) out.push(0xe8, 0xe9, x & 255);
    else if (kind === 4) out.push(0xe8, 0xff, 0xe8, 0, 0, 0xff);
    else out.push(0x89, (x >> 9) & 255, 0x8b, (x >> 13) & 0x3f);
  }
  return Uint8Array.from(out.slice(0, 6000));
}
const calls = makeCalls();
const x86 = new Uint8Array(readFileSync('test/formats/fixtures/calls-x86-crc32.xz'));
const plain = new Uint8Array(readFileSync('test/formats/fixtures/calls-crc64.xz'));

test('LZMA2 with the x86 filter and CRC-32', () => {
  assert.ok(isXz(x86));
  assert.deepEqual(decodeXz(x86), calls);
});

test('LZMA2 with other literal coding and CRC-64', () => {
  assert.deepEqual(decodeXz(plain), calls);
});

test('a wrong guess at the size, streams one after the other, padding and a tail that is no stream', () => {
  assert.deepEqual(decodeXz(x86, { expectedBytes: 7 }), calls);
  const joined = Uint8Array.from([...x86, 0, 0, 0, 0, ...plain, 0x70, 0x17, 0, 0]);
  assert.deepEqual(decodeXz(joined), Uint8Array.from([...calls, ...calls]));
});

test('every damaged or shortened file ends in a FormatError or, behind all checks, in the right bytes', () => {
  const attempt = (bytes: Uint8Array): void => {
    try {
      assert.deepEqual(decodeXz(bytes), calls);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  };
  for (let at = 0; at < plain.length; at += 3) {
    const damaged = plain.slice();
    damaged[at]! ^= 1 << (at & 7);
    attempt(damaged);
    attempt(plain.slice(0, at));
  }
  assert.throws(() => decodeXz(plain, { limitBytes: 5999 }), /unpacks to more than 5999 bytes/);
});
