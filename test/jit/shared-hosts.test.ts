import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Block } from '../../src/jit/blocks.js';
import { constant } from '../../src/jit/node.js';
import { numberSharedHosts } from '../../src/jit/shared-hosts.js';
import type { AccessGroup, Step } from '../../src/jit/steps.js';

function group(sharedWith?: AccessGroup): AccessGroup {
  return {
    root: undefined,
    form: { terms: new Map(), offset: 0 },
    least: 0,
    span: 4,
    write: false,
    host: -1,
    hostBias: 0,
    shared: false,
    hostNumber: -1,
    sharedWith,
    sharedOffset: 0,
  };
}

/** Blocks in a row, each of which checks groups; `back`: one goes back to another, too. */
function chain(groups: readonly (readonly AccessGroup[])[], back?: { from: number; to: number }): Block[] {
  const place = { eip: 0, remaining: 0, variables: [], stores: [], flags: undefined };
  const blocks = groups.map((list, order) => {
    const block = new Block(order);
    block.order = order;
    block.steps = list.map((each): Step => ({ kind: 'access', group: each, place }));
    return block;
  });
  const edgeTo = (block: Block | undefined) => ({ block, eip: constant(0), returns: false });
  for (const [i, block] of blocks.entries()) {
    const next = edgeTo(blocks[i + 1]);
    block.terminator =
      back?.from === i
        ? { kind: 'branch', condition: constant(1), taken: edgeTo(blocks[back.to]), otherwise: next }
        : { kind: 'jump', edge: next };
  }
  return blocks;
}

/** Two checks, and who shares them. */
function twoShared() {
  const [first, second] = [group(), group()];
  first.shared = second.shared = true;
  return { first, second, ofFirst: group(first), ofSecond: group(second) };
}

test('addresses that are wanted one behind the other have one local', () => {
  const { first, second, ofFirst, ofSecond } = twoShared();
  numberSharedHosts(chain([[first], [ofFirst], [second], [ofSecond]]));
  assert.deepEqual([first.hostNumber, second.hostNumber], [0, 0]);
});

test('addresses that are wanted at the same time have two', () => {
  const { first, second, ofFirst, ofSecond } = twoShared();
  numberSharedHosts(chain([[first], [ofFirst, second], [ofSecond]]));
  assert.deepEqual([first.hostNumber, second.hostNumber], [0, 1]);
});

test('what a loop shares of the code before it is wanted until the loop ends', () => {
  const { first, second, ofFirst, ofSecond } = twoShared();
  numberSharedHosts(chain([[first], [ofFirst], [second], [ofSecond], []], { from: 3, to: 1 }));
  assert.deepEqual([first.hostNumber, second.hostNumber], [0, 1]);
});

test('what a loop checks itself is not wanted beyond', () => {
  const { first, second, ofFirst, ofSecond } = twoShared();
  numberSharedHosts(chain([[], [first], [ofFirst], [second], [ofSecond]], { from: 4, to: 1 }));
  assert.deepEqual([first.hostNumber, second.hostNumber], [0, 0]);
});
