import {
  BLOCK_COUNT_MASK,
  JUMP_CACHE,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_HASH,
  JUMP_HEAT,
  RECORD_BYTES,
  REGION_FLAG,
  STATE,
  TLB_PAGE,
  TLB_PAGES,
  VICTIM_HASH,
  VICTIM_HEAT,
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
 * - It was made in an older epoch. If the page is in the TLB, may be executed and is the one that the block was
 *   decoded from, the entry is of this epoch. Entries with regions, which have more pages, and those that have become
 *   hot without one, for which there may be one by now, are the translator's.
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
  // It is valid: the page counts as code, and the entry is of this epoch.
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

/** Pushes the offset of an entry's heat, without that of the table. */
function heat(code: Code, entry: number): void {
  code.localGet(entry);
  code.constant(Math.log2(JUMP_CACHE_ENTRY_BYTES) - 2);
  code.byte(OP.i32_shr_u);
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
  heat(code, L.victim);
  code.memory(OP.i32_load, VICTIM_HEAT);
  code.localSet(L.scratch);
  code.localGet(L.victim);
  code.constant(0);
  code.memory(OP.i32_store, VICTIMS + 4);
  code.localGet(L.other);
  loadEntry(code, L.entry, JUMP_CACHE);
  code.simdMemory(SIMD.v128_store, VICTIMS);
  heat(code, L.other);
  heat(code, L.entry);
  code.memory(OP.i32_load, JUMP_HEAT);
  code.memory(OP.i32_store, VICTIM_HEAT);
  code.localGet(L.entry);
  code.localGet(L.moved);
  code.simdMemory(SIMD.v128_store, JUMP_CACHE);
  heat(code, L.entry);
  code.localGet(L.scratch);
  code.memory(OP.i32_store, JUMP_HEAT);
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
  code.constant(REGION_FLAG);
  code.byte(OP.i32_ge_s);
  heat(code, L.entry);
  code.memory(OP.i32_load, JUMP_HEAT);
  code.constant(0);
  code.byte(OP.i32_le_s);
  code.byte(OP.i32_or);
  returnIf(code, 0);
  code.localGet(L.linear);
  code.constant(12);
  code.byte(OP.i32_shr_u);
  code.localTee(L.page);
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
  load(code, L.entry, JUMP_CACHE + 8);
  code.localGet(L.scratch);
  code.constant(BLOCK_COUNT_MASK);
  code.byte(OP.i32_and);
  code.constant(RECORD_BYTES);
  code.byte(OP.i32_mul);
  code.byte(OP.i32_add);
  code.memory(OP.i32_load, BLOCK_PAGE);
  code.byte(OP.i32_ne);
  returnIf(code, 0);
}
