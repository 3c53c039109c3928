import { OP } from '../wasm/code.js';
import type { Block } from './blocks.js';
import { changeOf } from './loop-run.js';
import * as n from './node.js';
import { KIND } from './node.js';
import { FLAGS_RESULT } from './steps.js';
import type { StoreStep } from './stored-values.js';

/**
 * Stores a multiple of a page apart all want the same set of the first-level cache, which has 8 to 16 ways. The
 * processor runs dozens of accesses ahead of the stores that it has yet to make; in a small loop these take each
 * other's lines away again, and every store waits for its line anew, one after the other. So such a loop is held back:
 * the addresses of its next iterations wait for a store. Going down a column of a matrix, that is twice as fast.
 */

/** Strides that are multiples of this, in bytes, have a set for themselves. */
const SAME_SET = 4096;

/** Holds back a loop of one block, of which `last` is the copy that leads back to where it begins. */
export function paceStores(last: Block): void {
  for (const step of last.steps) {
    if (step.kind !== 'store') continue;
    const variable = strideOf(step, last);
    if (variable === undefined) continue;
    const result = n.result(false, 32);
    const { group, offset, size } = step;
    last.steps = [...last.steps, { kind: 'stored', group, offset, size, result }];
    last.variables = last.variables.map((node, v) => (v === variable ? n.binary(OP.i32_add, node, result) : node));
    return;
  }
}

/** The register by which the store's address moves, if that is by a multiple of `SAME_SET`. */
function strideOf({ group }: StoreStep, block: Block): number | undefined {
  const stride = group.root && changeOf(group.root, block);
  if (typeof stride !== 'number' || stride === 0 || stride % SAME_SET !== 0) return undefined;
  for (const node of group.form.terms.keys())
    if (node.kind === KIND.entry && node.number < FLAGS_RESULT && changeOf(node, block) !== 0) return node.number;
  return undefined;
}
