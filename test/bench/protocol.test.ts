import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAnswer, renderRequest } from '../../bench/protocol.js';

test('a request is one line of words', () => {
  assert.equal(renderRequest(7, ['/bin/x', 'a b']), '7\t/bin/x\ta b\n');
  assert.equal(renderRequest(8, []), '8\n');
});

test('an answer is complete with its end mark', () => {
  const text = '\n@@bench 7 0 12500 6\nhello\n\n@@end 7\n';
  assert.deepEqual(findAnswer(text, 7), { status: 0, processorMs: 12.5, output: 'hello\n' });
  for (let length = 0; length < text.length; length++) assert.equal(findAnswer(text.slice(0, length), 7), undefined);
  assert.equal(findAnswer(text, 8), undefined);
});

test('empty output, other answers and words of the kernel are no trouble', () => {
  const text = '@@end 3\n[ 1.5] random: ready\n\n@@bench 4 137 0 0\n\n@@end 4\n';
  assert.deepEqual(findAnswer(text, 4), { status: 137, processorMs: 0, output: '' });
});

test('what the kernel says inside of an output stays there for the comparison to find', () => {
  const answer = findAnswer('\n@@bench 4 0 0 2\n1[ 1.5] oops\n\n\n@@end 4\n', 4);
  assert.equal(answer?.output, '1[ 1.5] oops\n\n');
});
