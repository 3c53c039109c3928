import {
  BLOCK_COUNT_MASK,
  HEAT_SHIFT,
  JUMP_CACHE,
  JUMP_HASH,
  RECORD_BYTES,
  REGION_FLAG,
  REGION_KEYS,
  REGION_LISTS,
  REGION_SHIFT,
  STATE,
  TLB_PAGE,
  TLB_PAGES,
  VICTIM_HASH,
  VICTIMS,
} from '../../memory/layout.js';
import { MODE } from '../decoder.js';
import { KEY_EPOCH, KEY_USER } from '../translator.js';
import { Code, I32, OP, V128, VOID_BLOCK } from '../../wasm/code.js';
import { SIMD } from '../../wasm/simd.js';
import type { LocalRun } from '../../wasm/module.js';
import { BLOCK_PAGE } from './record.js';

/** Parameter and locals. */
const L = { linear: 0, entry: 1, victim: 2, other: 3, scratch: 4, key: 5, page: 6, moved: 7 } as const;
export const RECALL_LOCALS: readonly LocalRun[] = [
  { type: I32, count: 6 },
  { type: V128, count: 1 },
];

/**
 * The function (linear address) → whether the jump cache's entry for it may be used now, after all. For two cases of
 * entries that are not as they should be; all others are `findBlock`'s:
 *
 * - Another block has the place. If this one is among the victims they change places.
 * - It was made in an older epoch. If the pages of its block and its region are in the TLB, may be executed and are
 *   where they were, the entry is of this epoch. Entries that have become hot without a region, for which there may be
 *   one by now, are the translator's.
 */
export function emitRecall(): Uint8Array {
  const code = new Code();
  code.localGet(L.linear);
  hash(code, JUMP_HASH);
  code.localTee(L.entry);
  code.memory(OP.i32_load, JUMP_CACHE);
  code.localGet(L.linear);
  code.byte(OP.i32_ne);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  fetchVictim(code);
  code.byte(OP.end);
  checkKey(code);
  checkBlock(code);
  code.localGet(L.scratch);
  code.constant(REGION_FLAG);
  code.byte(OP.i32_ge_s);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  checkRegion(code);
  code.byte(OP.end);
  code.localGet(L.entry);
  code.localGet(L.key);
  code.memory(OP.i32_store, JUMP_CACHE + 4);
  code.constant(1);
  return code.bytes();
}

/** Of the address on the wasm stack. */
function hash(code: Code, { factor, shift, mask }: { factor: number; shift: number; mask: number }): void {
  code.constant(factor);
  code.byte(OP.i32_mul);
  code.constant(shift);
  code.byte(OP.i32_shr_u);
  code.constant(mask);
  code.byte(OP.i32_and);
}

function load(code: Code, base: number, offset: number): void {
  code.localGet(base);
  code.memory(OP.i32_load, offset);
}
/** A whole entry. */
function loadEntry(code: Code, base: number, offset: number): void {
  code.localGet(base);
  code.simdMemory(SIMD.v128_load, offset);
}

/** With a condition on the wasm stack: returns. */
function returnIf(code: Code, result: number): void {
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(result);
  code.byte(OP.return);
  code.byte(OP.end);
}

/** Returns 0 if the address is not among the victims. */
function fetchVictim(code: Code): void {
  code.localGet(L.linear);
  hash(code, VICTIM_HASH);
  code.localTee(L.victim);
  code.memory(OP.i32_load, VICTIMS);
  code.localGet(L.linear);
  code.byte(OP.i32_ne);
  returnIf(code, 0);
  // Where the one that has the place goes.
  load(code, L.entry, JUMP_CACHE);
  hash(code, VICTIM_HASH);
  code.localSet(L.other);
  loadEntry(code, L.victim, VICTIMS);
  code.localSet(L.moved);
  code.localGet(L.victim);
  code.constant(0);
  code.memory(OP.i32_store, VICTIMS + 4);
  code.localGet(L.other);
  loadEntry(code, L.entry, JUMP_CACHE);
  code.simdMemory(SIMD.v128_store, VICTIMS);
  code.localGet(L.entry);
  code.localGet(L.moved);
  code.simdMemory(SIMD.v128_store, JUMP_CACHE);
}

/** Returns if the entry is of this epoch, or of another mode or privilege or void. */
function checkKey(code: Code): void {
  code.constant(0);
  code.memory(OP.i32_load, STATE.codeKey);
  code.localTee(L.key);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  load(code, L.entry, JUMP_CACHE + 4);
  code.localTee(L.scratch);
  code.localGet(L.key);
  code.byte(OP.i32_eq);
  returnIf(code, 1);
  code.localGet(L.scratch);
  code.byte(OP.i32_eqz);
  code.localGet(L.scratch);
  code.localGet(L.key);
  code.byte(OP.i32_xor);
  code.constant(KEY_EPOCH - 1);
  code.byte(OP.i32_and);
  code.byte(OP.i32_or);
  // The limit of other segments would have to be looked at.
  code.localGet(L.key);
  code.constant(MODE.flat);
  code.byte(OP.i32_and);
  code.byte(OP.i32_eqz);
  code.byte(OP.i32_or);
  returnIf(code, 0);
}

/** Returns 0 unless the entry's block is certainly what is at the address. */
function checkBlock(code: Code): void {
  load(code, L.entry, JUMP_CACHE + 12);
  code.localTee(L.scratch);
  code.constant(1 << HEAT_SHIFT);
  code.byte(OP.i32_lt_s);
  returnIf(code, 0);
  code.localGet(L.linear);
  code.constant(12);
  code.byte(OP.i32_shr_u);
  code.localSet(L.page);
  checkPage(code, () => {
    load(code, L.entry, JUMP_CACHE + 8);
    code.localGet(L.scratch);
    code.constant(BLOCK_COUNT_MASK);
    code.byte(OP.i32_and);
    code.constant(RECORD_BYTES);
    code.byte(OP.i32_mul);
    code.byte(OP.i32_add);
    code.memory(OP.i32_load, BLOCK_PAGE);
  });
}

/** Returns 0 unless all pages of the entry's region are mapped as they were. */
function checkRegion(code: Code): void {
  code.localGet(L.scratch);
  code.constant(REGION_SHIFT);
  code.byte(OP.i32_shr_u);
  code.constant((REGION_FLAG >>> REGION_SHIFT) - 1);
  code.byte(OP.i32_and);
  code.constant(2);
  code.byte(OP.i32_shl);
  code.localTee(L.scratch);
  code.memory(OP.i32_load, REGION_LISTS);
  code.localTee(L.victim);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  code.localGet(L.victim);
  load(code, L.victim, 0);
  code.byte(OP.i32_add);
  code.localSet(L.other);
  code.localGet(L.victim);
  code.constant(4);
  code.byte(OP.i32_add);
  code.localSet(L.victim);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  load(code, L.victim, 0);
  code.localSet(L.page);
  checkPage(code, () => load(code, L.victim, 4));
  code.localGet(L.victim);
  code.constant(8);
  code.byte(OP.i32_add);
  code.localTee(L.victim);
  code.localGet(L.other);
  code.byte(OP.i32_lt_u);
  code.branch(OP.br_if, 0);
  code.byte(OP.end);
  // For those who call it.
  code.localGet(L.scratch);
  code.localGet(L.key);
  code.memory(OP.i32_store, REGION_KEYS);
}

/** Returns 0 unless code may be fetched from the page, and it is where it should be in linear memory. Marks it. */
function checkPage(code: Code, pushWhere: () => void): void {
  code.localGet(L.page);
  code.memory(OP.i32_load8_u, TLB_PAGES);
  code.constant(TLB_PAGE.noExecute);
  code.byte(OP.i32_and);
  returnIf(code, 0);
  // Invalid entries lead to no page.
  code.localGet(L.page);
  code.constant(2);
  code.byte(OP.i32_shl);
  code.constant(0);
  code.memory(OP.i32_load, STATE.tlbRead);
  code.byte(OP.i32_add);
  code.memory(OP.i32_load, 0);
  code.localGet(L.page);
  code.constant(12);
  code.byte(OP.i32_shl);
  code.byte(OP.i32_add);
  pushWhere();
  code.byte(OP.i32_ne);
  returnIf(code, 0);
  code.localGet(L.page);
  code.localGet(L.page);
  code.memory(OP.i32_load8_u, TLB_PAGES);
  code.constant(TLB_PAGE.userCode);
  code.constant(TLB_PAGE.supervisorCode);
  code.localGet(L.key);
  code.constant(KEY_USER);
  code.byte(OP.i32_and);
  code.byte(OP.select);
  code.byte(OP.i32_or);
  code.memory(OP.i32_store8, TLB_PAGES);
}
