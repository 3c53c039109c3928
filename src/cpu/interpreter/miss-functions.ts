import type { Size } from '../../isa/builder.js';
import { ACCESS_READ, ACCESS_WRITE } from '../../memory/page-walk.js';
import { Code, I32, OP, VOID_BLOCK } from '../../wasm/code.js';
import type { LocalRun, ModuleBuilder } from '../../wasm/module.js';
import { RESOLVED } from './gates.js';

/** For accesses that are not on one page in the TLB. They set `STATE.status` if the guest is to be left. */
export interface MissFunctions {
  /** (linear, record) → value, zero-extended. */
  readonly slowRead: Readonly<Record<Size, number>>;
  /** (linear, value, record). */
  readonly slowWrite: Readonly<Record<Size, number>>;
  /** (linear, record) → value, for a place that will be written: faults as a write does. */
  readonly slowReadForWrite: Readonly<Record<Size, number>>;
}

const ONE_NARROW: readonly LocalRun[] = [{ type: I32, count: 1 }];

/**
 * Functions that do what can be done without TypeScript, and ask `typescript` for the rest. `resolve` (gates.ts) knows
 * where an access may take place.
 */
export function addMissFunctions(module: ModuleBuilder, typescript: MissFunctions, resolve: number): MissFunctions {
  const perSize = (add: (size: Size) => number): Record<Size, number> => ({ 8: add(8), 16: add(16), 32: add(32) });
  const reading = (size: Size, access: number, ask: number): number =>
    module.addFunction([I32, I32], [I32], ONE_NARROW, readFunction(size, access, ask, resolve));
  const writing = (size: Size): number =>
    module.addFunction([I32, I32, I32], [], ONE_NARROW, writeFunction(size, typescript.slowWrite[size], resolve));
  return {
    slowRead: perSize((size) => reading(size, ACCESS_READ, typescript.slowRead[size])),
    slowWrite: perSize(writing),
    slowReadForWrite: perSize((size) => reading(size, ACCESS_WRITE, typescript.slowReadForWrite[size])),
  };
}

function readFunction(size: Size, access: number, ask: number, resolve: number): Uint8Array {
  const code = new Code();
  const host = 2;
  emitResolve(code, access, size, 1, resolve, host);
  code.byte(OP.if);
  code.byte(I32);
  code.localGet(host);
  code.memory(size === 8 ? OP.i32_load8_u : size === 16 ? OP.i32_load16_u : OP.i32_load, 0);
  code.byte(OP.else);
  code.localGet(host);
  code.byte(OP.if);
  code.byte(I32);
  code.constant(0);
  code.byte(OP.else);
  code.localGet(0);
  code.localGet(1);
  code.call(ask);
  code.byte(OP.end);
  code.byte(OP.end);
  return code.bytes();
}

function writeFunction(size: Size, ask: number, resolve: number): Uint8Array {
  const code = new Code();
  const host = 3;
  emitResolve(code, ACCESS_WRITE, size, 2, resolve, host);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(host);
  code.localGet(1);
  code.memory(size === 8 ? OP.i32_store8 : size === 16 ? OP.i32_store16 : OP.i32_store, 0);
  code.byte(OP.else);
  code.localGet(host);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(0);
  code.localGet(1);
  code.localGet(2);
  code.call(ask);
  code.byte(OP.end);
  code.byte(OP.end);
  return code.bytes();
}

/** Of the linear address in local 0: leaves on the wasm stack whether the access may take place at `host`. */
export function emitResolve(
  code: Code,
  access: number,
  bits: number,
  record: number,
  resolve: number,
  host: number,
): void {
  code.localGet(0);
  code.constant(access);
  code.constant(bits / 8);
  code.localGet(record);
  code.call(resolve);
  code.localTee(host);
  code.constant(RESOLVED.fault);
  code.byte(OP.i32_gt_u);
}
