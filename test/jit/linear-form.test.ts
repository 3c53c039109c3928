import assert from 'node:assert/strict';
import test from 'node:test';
import { linearForm, sameTerms } from '../../src/jit/linear-form.js';
import { binary, constant, entry, type Node } from '../../src/jit/node.js';
import { OP } from '../../src/wasm/code.js';

const a = entry(0, false);
const b = entry(1, false);
const add = (x: Node, y: Node): Node => binary(OP.i32_add, x, y);
const shl = (x: Node, bits: number): Node => binary(OP.i32_shl, x, constant(bits));

test('addresses that differ by a constant have the same terms', () => {
  const plain = linearForm(add(a, shl(b, 2)));
  const moved = linearForm(add(add(shl(add(b, constant(1)), 2), a), constant(-20)));
  assert.ok(sameTerms(plain, moved));
  assert.equal(moved.offset - plain.offset, -16);
  assert.ok(!sameTerms(plain, linearForm(add(a, shl(b, 3)))));
  assert.ok(!sameTerms(plain, linearForm(a)));
});

test('sums are modulo 2³², and what cancels is gone', () => {
  const form = linearForm(binary(OP.i32_sub, add(shl(a, 31), shl(a, 31)), add(b, constant(-(2 ** 31)))));
  assert.deepEqual([...form.terms], [[b, -1]]);
  assert.equal(form.offset, -(2 ** 31));
});

test('what is no sum is a term', () => {
  const product = binary(OP.i32_mul, a, b);
  assert.deepEqual([...linearForm(add(product, constant(8))).terms], [[product, 1]]);
});
