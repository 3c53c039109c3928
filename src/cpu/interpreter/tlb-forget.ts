import {
  KEYS,
  STATE,
  TLB_INVALID,
  TLB_LISTS,
  TLB_PAGE,
  TLB_PAGES,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
} from '../../memory/layout.js';
import { I32 } from '../../wasm/code.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { LAST_KEY } from '../code-epochs.js';
import { KEY_EPOCH, KEY_OF_NOTHING, KEY_USER } from '../translator.js';

/** What `Tlb.drop`, `Tlb.flushLocal` and `CodeLookup.pagesForgotten` do, in functions of the interpreter's module. */

const TABLES = [TLB_READ_SUPERVISOR, TLB_READ_USER, TLB_WRITE_SUPERVISOR, TLB_WRITE_USER];
const CODE = TLB_PAGE.supervisorCode | TLB_PAGE.userCode;

/** Forgets the page of that number; returns for whom code has come from it. */
export function forgetPage(r: RoutineBuilder, page: Local): Local {
  const code = r.and(r.loadByteAt(page, TLB_PAGES), CODE);
  const at = r.shl(page, 2);
  for (const table of TABLES) r.storeAt(at, TLB_INVALID, table);
  r.storeByteAt(page, 0, TLB_PAGES);
  return code;
}

/** Forgets all pages but global ones. */
export function forgetLocal(r: RoutineBuilder): void {
  const list = TLB_LISTS.local;
  const count = r.load(I32, list);
  r.when(count, () => {
    const code = r.variable(I32);
    const at = r.variable(I32);
    r.assign(code, 0);
    r.assign(at, 0);
    const end = r.shl(count, 2);
    r.loop(() => {
      r.assign(code, r.or(code, forgetPage(r, r.loadAt(at, list + 4))));
      r.assign(at, r.add(at, 4));
      return r.ltU(at, end);
    });
    r.store(list, 0);
    endEpochs(r, code);
  });
}

/** Returns 0 unless a hundred epochs may end: few are left, or the mode is about to be another. */
export function demandEpochs(r: RoutineBuilder): void {
  r.returnIf(r.eq(r.load(I32, STATE.codeKey), KEY_OF_NOTHING), 0);
  for (const key of [KEYS.supervisor, KEYS.user]) r.returnIf(r.ltS(LAST_KEY - 100 * KEY_EPOCH, r.load(I32, key)), 0);
}

/** Pages have been forgotten that code has come from for these, of which `demandEpochs` was sure; in a kernel's ring. */
export function endEpochs(r: RoutineBuilder, code: Operand): void {
  r.when(code, () => {
    const ended = (key: number, mark: number): void => {
      r.when(r.and(code, mark), () => r.store(key, r.add(r.load(I32, key), KEY_EPOCH)));
    };
    ended(KEYS.supervisor, TLB_PAGE.supervisorCode);
    ended(KEYS.user, TLB_PAGE.userCode);
    const mode = r.and(r.load(I32, STATE.codeKey), KEY_USER - 1);
    r.store(STATE.codeKey, r.or(r.load(I32, KEYS.supervisor), mode));
  });
}
