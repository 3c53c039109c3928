import {
  BLOCK_COUNT_MASK,
  HEAT_SHIFT,
  JUMP_CACHE,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_HASH,
  RECORD_BYTES,
  REGION_FLAG,
  REGION_KEYS,
  REGION_LISTS,
  REGION_SHIFT,
  STATE,
  TLB_INVALID,
  TLB_PAGE,
  TLB_PAGES,
  VICTIM_HASH,
  VICTIMS,
} from '../../memory/layout.js';
import { ACCESS_FETCH, ACCESS_USER } from '../../memory/page-walk.js';
import { Code, I32, I64 } from '../../wasm/code.js';
import type { ModuleBuilder } from '../../wasm/module.js';
import { type Local, type Operand, RoutineBuilder } from '../../wasm/routine.js';
import { MODE } from '../decoder.js';
import { KEY_EPOCH, KEY_OF_NOTHING, KEY_USER } from '../translator.js';
import { BLOCK_PAGE } from './record.js';
import { hostBy } from './flat-state.js';
import { FILL } from './tlb-fill.js';

/** Offsets in an entry of the jump cache. */
const ENTRY = { key: 4, record: 8, last: 12 } as const;

/**
 * Adds the function (linear address) → whether the jump cache's entry for it may be used now, after all; returns its
 * index. For two cases of entries that are not as they should be; all others are `findBlock`'s:
 *
 * - Another block has the place. If this one is among the victims they change places.
 * - It was made in an older epoch. If the pages of its block and its region may be executed and are where they were, as
 *   the TLB says or `fill` (tlb-fill.ts) finds out, the entry is of this epoch. Entries that have become hot without a
 *   region, for which there may be one by now, are the translator's.
 */
export function addRecall(module: ModuleBuilder, fill: number): number {
  const code = new Code();
  const r = new RoutineBuilder(code, [I32]);
  const [linear] = r.parameters as [Local];
  const entry = hashed(r, linear, JUMP_HASH);
  r.when(r.ne(r.loadAt(entry, JUMP_CACHE), linear), () => fetchVictim(r, linear, entry));
  const key = demandKey(r, entry);
  const last = r.loadAt(entry, JUMP_CACHE + ENTRY.last);
  r.returnIf(r.ltS(last, 1 << HEAT_SHIFT), 0);
  const bytes = r.mul(r.and(last, BLOCK_COUNT_MASK), RECORD_BYTES);
  const leaving = r.add(r.loadAt(entry, JUMP_CACHE + ENTRY.record), bytes);
  demandPage(r, fill, key, r.shrU(linear, 12), r.loadAt(leaving, BLOCK_PAGE));
  r.when(r.ltS(REGION_FLAG - 1, last), () => demandRegion(r, fill, key, last));
  r.storeAt(entry, key, JUMP_CACHE + ENTRY.key);
  r.push(1);
  return module.addFunction([I32], [I32], r.localRuns(), code.bytes());
}

function hashed(r: RoutineBuilder, linear: Operand, hash: { factor: number; shift: number; mask: number }): Local {
  return r.and(r.shrU(r.mul(linear, hash.factor), hash.shift), hash.mask);
}

/** Returns 0 if the address is not among the victims. */
function fetchVictim(r: RoutineBuilder, linear: Operand, entry: Operand): void {
  const victim = hashed(r, linear, VICTIM_HASH);
  r.returnIf(r.ne(r.loadAt(victim, VICTIMS), linear), 0);
  const halves = [0, JUMP_CACHE_ENTRY_BYTES / 2];
  const moved = halves.map((half) => r.loadAt(victim, VICTIMS + half, I64));
  r.storeAt(victim, 0, VICTIMS + ENTRY.key);
  // Where the one that has the place goes.
  const other = hashed(r, r.loadAt(entry, JUMP_CACHE), VICTIM_HASH);
  for (const half of halves) r.storeAt(other, r.loadAt(entry, JUMP_CACHE + half, I64), VICTIMS + half);
  for (const [i, half] of halves.entries()) r.storeAt(entry, moved[i]!, JUMP_CACHE + half);
}

/** Returns if the entry is of this epoch, or of another mode or privilege or void. Else, the key of this epoch. */
function demandKey(r: RoutineBuilder, entry: Operand): Local {
  const key = r.load(I32, STATE.codeKey);
  r.returnIf(r.eq(key, KEY_OF_NOTHING), 0);
  const old = r.loadAt(entry, JUMP_CACHE + ENTRY.key);
  r.returnIf(r.eq(old, key), 1);
  r.returnIf(r.or(r.isZero(old), r.and(r.xor(old, key), KEY_EPOCH - 1)), 0);
  // The limit of other segments would have to be looked at.
  r.returnIf(r.isZero(r.and(key, MODE.flat)), 0);
  return key;
}

/** Returns 0 unless all pages of the region in the entry's last word are mapped as they were. */
function demandRegion(r: RoutineBuilder, fill: number, key: Operand, last: Operand): void {
  const slot = r.shl(r.and(r.shrU(last, REGION_SHIFT), (REGION_FLAG >>> REGION_SHIFT) - 1), 2);
  const list = r.loadAt(slot, REGION_LISTS);
  r.returnIf(r.isZero(list), 0);
  const end = r.add(list, r.loadAt(list, 0));
  const at = r.variable(I32);
  r.assign(at, r.add(list, 4));
  r.loop(() => {
    demandPage(r, fill, key, r.loadAt(at, 0), r.loadAt(at, 4));
    r.assign(at, r.add(at, 8));
    return r.ltU(at, end);
  });
  // For those who call it.
  r.storeAt(slot, key, REGION_KEYS);
}

/** Returns 0 unless code may be fetched from the page, and it is at `where` in linear memory. Marks it. */
function demandPage(r: RoutineBuilder, fill: number, key: Operand, page: Local, where: Local): void {
  const at = r.add(r.load(I32, STATE.tlbRead), r.shl(page, 2));
  const user = r.and(key, KEY_USER);
  r.when(r.eq(r.loadAt(at, 0), TLB_INVALID), () => {
    const access = r.select(user, ACCESS_FETCH | ACCESS_USER, ACCESS_FETCH);
    r.returnIf(r.ne(r.call(fill, I32, r.shl(page, 12), access), FILL.done), 0);
  });
  const marks = r.loadByteAt(page, TLB_PAGES);
  r.returnIf(r.and(marks, TLB_PAGE.noExecute), 0);
  r.returnIf(r.ne(hostBy(r, r.loadAt(at, 0), r.shl(page, 12)), where), 0);
  const mark = r.select(user, TLB_PAGE.userCode, TLB_PAGE.supervisorCode);
  r.storeByteAt(page, r.or(marks, mark), TLB_PAGES);
}
