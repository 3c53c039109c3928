import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TranslatorHost } from '../../src/cpu/translator.js';
import { DEFAULT_OPTIONS, RegionTranslator } from '../../src/jit/index.js';
import { Rewrites } from '../../src/jit/rewrites.js';
import { MOST_CODE_WRITES } from '../../src/memory/layout.js';
import { createMachine } from '../cpu/machine-code.js';

/** How often `gpa` has to become hot until it may be translated. */
function heats(rewrites: Rewrites, gpa: number): number {
  let times = 1;
  while (rewrites.mustWait(gpa)) times++;
  return times;
}

test('code that is overwritten again and again is translated ever later, up to a bound', () => {
  const rewrites = new Rewrites(new Uint8Array(64));
  const seen: number[] = [];
  for (let i = 0; i < 15; i++) {
    seen.push(heats(rewrites, 0x1234));
    rewrites.note(0x1234);
  }
  assert.deepEqual(seen, [1, 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
});

test('no more is remembered than a guest should cost', () => {
  const rewrites = new Rewrites(new Uint8Array(64));
  for (let gpa = 0; gpa < 200_000; gpa++) for (let i = 0; i < 3; i++) rewrites.note(gpa);
  let known = 0;
  for (let gpa = 0; gpa < 200_000; gpa++) if (rewrites.mustWait(gpa)) known++;
  assert.ok(known > 0 && known <= 65_536, `${known} entries`);
});

test('other code does not wait, and what was known can be forgotten', () => {
  const rewrites = new Rewrites(new Uint8Array(64));
  for (let i = 0; i < 5; i++) rewrites.note(0x1234);
  assert.equal(rewrites.mustWait(0x1235), false);
  assert.equal(rewrites.mustWait(0x1234), true);
  rewrites.clear();
  assert.equal(rewrites.mustWait(0x1234), false);
});

test('what is made on a page that is written to all the time has to become hot four times, once', () => {
  const writes = new Uint8Array(64);
  const rewrites = new Rewrites(writes);
  writes[5] = MOST_CODE_WRITES;
  writes[6] = MOST_CODE_WRITES - 1;
  const waits = (gpa: number): boolean[] => Array.from({ length: 5 }, () => rewrites.mustWait(gpa));
  assert.deepEqual(waits(0x5010), [true, true, true, false, false]);
  assert.deepEqual(waits(0x5020), [true, true, true, false, false]);
  assert.deepEqual(waits(0x6010), [false, false, false, false, false]);
});

test('what asks for a page of code gets the page, not the address in it', () => {
  const cpu = createMachine([0x90, 0xcc]);
  let host: TranslatorHost | undefined;
  cpu.attachTranslator((given) => new RegionTranslator((host = given), DEFAULT_OPTIONS));
  assert.equal(host!.fetchablePage(0x3456, false), 0x3000);
  assert.equal(host!.mappedPage(0x3456, false), 0x3000);
});
