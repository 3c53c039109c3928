import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { describeDifference } from '../../tools/native-oracle/difference.js';
import { Replay } from '../../tools/native-oracle/replay.js';
import { unpackVectors } from '../../tools/native-oracle/vectors.js';

/** Every instruction against the recorded answers of a real processor (test/vectors/integer.md). */

const vectors = unpackVectors(readFileSync(join(process.cwd(), 'test/vectors/integer.bin.gz')));
const SHOWN = 10;

function replayAll(prepare: (replay: Replay) => void): void {
  const replay = new Replay();
  prepare(replay);
  const different: string[] = [];
  for (const { question, answer, undefinedFlags } of vectors) {
    const text = describeDifference(question, answer, replay.answer(question), undefinedFlags);
    if (text !== '') different.push(text);
  }
  assert.equal(
    different.length,
    0,
    `${different.length} of ${vectors.length} differ\n${different.slice(0, SHOWN).join('\n')}`,
  );
}

test('there are cases of every kind', () => {
  assert.ok(vectors.length > 35_000);
  const endings = new Set(vectors.map(({ answer }) => answer.vector));
  for (const vector of [0, 3, 5, 6, 12, 13, 14]) assert.ok(endings.has(vector), `none ends with vector ${vector}`);
  assert.ok(!endings.has(255), 'one never ends');
});

test('instructions do what a processor does', () => {
  replayAll(() => {});
});

test('the same one instruction at a time', () => {
  replayAll((replay) => {
    replay.cpu.torture.oneInstructionBlocks = true;
  });
});

test('the same with an empty TLB before every instruction', () => {
  replayAll((replay) => {
    replay.cpu.torture.flushTlbEvery = 1;
  });
});
