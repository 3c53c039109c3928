import { OP } from '../wasm/code.js';
import type { Node } from './node.js';

/** A sum: of nodes, each so many times, and a constant; modulo 2³². */
export interface LinearForm {
  readonly terms: ReadonlyMap<Node, number>;
  readonly offset: number;
}

/** Sums of sums are followed so deep. */
const DEEPEST = 4;

/** The node (i32) as a sum of what is none. */
export function linearForm(node: Node): LinearForm {
  const terms = new Map<Node, number>();
  const offset = gather(node, 1, terms, DEEPEST);
  for (const [term, times] of terms) if (times === 0) terms.delete(term);
  return { terms, offset };
}

/** Adds `times` × `node` to `terms`; returns the constant part. */
function gather(node: Node, times: number, terms: Map<Node, number>, depth: number): number {
  const { a, b, opcode } = node;
  if (node.isConstant) return Math.imul(node.number, times);
  if (depth > 0 && !node.wide && a && b) {
    if (opcode === OP.i32_add) return (gather(a, times, terms, depth - 1) + gather(b, times, terms, depth - 1)) | 0;
    if (opcode === OP.i32_sub) return (gather(a, times, terms, depth - 1) + gather(b, -times, terms, depth - 1)) | 0;
    if (opcode === OP.i32_shl && b.isConstant) return gather(a, times << b.number, terms, depth - 1);
  }
  terms.set(node, ((terms.get(node) ?? 0) + times) | 0);
  return 0;
}

/** Whether the difference of the two is a constant. */
export function sameTerms(a: LinearForm, b: LinearForm): boolean {
  if (a.terms.size !== b.terms.size) return false;
  for (const [term, times] of a.terms) if (b.terms.get(term) !== times) return false;
  return true;
}
