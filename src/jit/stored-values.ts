import { OP } from '../wasm/code.js';
import * as n from './node.js';
import type { AccessSize, Step } from './steps.js';
import type { Node } from './node.js';

export type StoreStep = Extract<Step, { kind: 'store' }>;

interface StoredValue {
  readonly size: AccessSize;
  readonly value: Node;
}

/** What is known to be somewhere, by offset: in the state, or where a group of accesses has its bytes. */
export class StoredValues {
  private readonly values = new Map<number, StoredValue>();

  get(offset: number, size: AccessSize): Node | undefined {
    const known = this.values.get(offset);
    if (known?.size === 64 && size === 32 && !known.value.float) return n.unary(OP.i32_wrap_i64, known.value, false);
    return known?.size === size ? known.value : undefined;
  }
  /** `value` is there, and what overlaps it is not any more. */
  set(offset: number, size: AccessSize, value: Node): void {
    this.forget(offset, size);
    this.values.set(offset, { size, value });
  }
  forget(offset: number, size: AccessSize): void {
    const end = offset + size / 8;
    for (const [at, value] of this.values) if (at + value.size / 8 > offset && at < end) this.values.delete(at);
  }
  clear(): void {
    this.values.clear();
  }
}

/** Whether a store has nothing to do with a load from the same group. */
export function areApart(
  store: StoreStep,
  { group, offset, size }: Pick<StoreStep, 'group' | 'offset' | 'size'>,
): boolean {
  return store.group === group && (store.offset + store.size / 8 <= offset || offset + size / 8 <= store.offset);
}

export function isSameValue(a: Node, b: Node): boolean {
  return a === b || (a.isConstant && b.isConstant && a.wide === b.wide && a.number === b.number && a.big === b.big);
}

/** Addresses that have been found to be multiples of 16. */
export class AlignedAddresses {
  private readonly found = new Map<Node, Set<number>>();

  has(linear: Node): boolean {
    const [root, offset] = parts(linear);
    return this.found.get(root)?.has(offset) ?? false;
  }
  add(linear: Node): void {
    const [root, offset] = parts(linear);
    const offsets = this.found.get(root);
    if (offsets) offsets.add(offset);
    else this.found.set(root, new Set([offset]));
  }
  clear(): void {
    this.found.clear();
  }
}

/** A sum's root, and its constant modulo 16. */
function parts(linear: Node): [Node, number] {
  return n.isOf(linear, OP.i32_add) && linear.b!.isConstant ? [linear.a!, linear.b!.number & 15] : [linear, 0];
}
