import assert from 'node:assert/strict';
import test from 'node:test';
import { FlagKeeper } from './flag-keeper.js';

const DEFINE = [0x39, 0xc8];

/** What is put between the instructions of each piece, and which flags are undefined in the end. */
function follow(...code: number[]): { code: number[]; left: number } {
  const keeper = new FlagKeeper();
  return { code: keeper.follow(code), left: keeper.undefinedFlags };
}

test('undefined flags are kept account of', () => {
  assert.equal(follow(0x21, 0xc8).left, 0x10, 'and: AF');
  assert.equal(follow(0x21, 0xc8, 0x01, 0xc8).left, 0, 'add defines all');
  assert.equal(follow(0xf7, 0xe1).left, 0xd4, 'mul: SF ZF AF PF');
  assert.equal(follow(0xc1, 0xe0, 0x01).left, 0x10, 'shl by 1: AF');
  assert.equal(follow(0xc1, 0xe0, 0x05).left, 0x810, 'shl by 5: OF too');
  assert.equal(follow(0xc0, 0xe0, 0x08).left, 0x811, 'shl of a byte by 8: CF too');
  assert.equal(follow(0xc0, 0xf8, 0x08).left, 0x810, 'sar of a byte by 8 defines CF');
  assert.equal(follow(0xc1, 0xe0, 0x20).left, 0, 'shl by 0 changes nothing');
  assert.equal(follow(0xf7, 0xe1, 0xd3, 0xe0).left, 0x8d4, 'shl by CL may change nothing');
  assert.equal(follow(0xf7, 0xe1, 0xf3, 0xa6).left, 0xd4, 'so may repe cmpsb');
});

test('who would read one finds it defined', () => {
  assert.deepEqual(follow(0xf7, 0xe1, 0x74, 0x00).code, [0xf7, 0xe1, ...DEFINE, 0x74, 0x00], 'mul, je');
  assert.deepEqual(follow(0x21, 0xc8, 0x9f).code, [0x21, 0xc8, ...DEFINE, 0x9f], 'and, lahf');
  assert.deepEqual(follow(0x21, 0xc8, 0x74, 0x00).code, [0x21, 0xc8, 0x74, 0x00], 'and, je');
  assert.deepEqual(follow(0x01, 0xc8, 0x11, 0xc8).code, [0x01, 0xc8, 0x11, 0xc8], 'add, adc');
});
