import assert from 'node:assert/strict';
import test from 'node:test';
import { addTlbFill, FILL } from '../../src/cpu/interpreter/tlb-fill.js';
import { FLAG } from '../../src/cpu/state.js';
import { CODE_PAGE, GuestMemory } from '../../src/memory/guest-memory.js';
import {
  RAM_BASE,
  STATE,
  TLB_LIST_ENTRIES,
  TLB_LISTS,
  TLB_PAGES,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
  WRITE_MAPPINGS,
} from '../../src/memory/layout.js';
import { PAGING, PageWalker, type WalkRules } from '../../src/memory/page-walk.js';
import { Tlb } from '../../src/memory/tlb.js';
import { ModuleBuilder } from '../../src/wasm/module.js';
import { RandomNumbers } from '../jit/random-numbers.js';

/** The walk in WebAssembly against its specification, `PageWalker.walk` and `Tlb.fill`, on random page tables. */

const PAGES = 64;
const ROOT = 0x1000;
const MIDDLE = 0x2000;
const TABLE = 0x3000;
const WALKS = 5_000;

const rules = (strict: boolean): WalkRules => ({
  strict,
  accessedInDirectories: !strict,
  flatUser: !strict,
  refuse: (level) => {
    throw new Error(level);
  },
  flat: (linear) => linear,
});

class Machine {
  readonly memory = new GuestMemory(PAGES * 4096);
  readonly tlb = new Tlb(this.memory);
  readonly walker: PageWalker;
  readonly fillInWebAssembly: (linear: number, access: number) => number;

  constructor(strict: boolean) {
    this.walker = new PageWalker(this.memory, rules(strict));
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', RAM_BASE / 0x1_0000);
    module.exportFunction('fill', addTlbFill(module));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), {
      env: { memory: this.memory.memory },
    });
    this.fillInWebAssembly = exports['fill'] as (linear: number, access: number) => number;
  }

  /** An error code, `FILL.done`, or the message of what was thrown. */
  fill(linear: number, access: number): number | string {
    try {
      const walk = this.walker.walk(linear, access);
      if (walk.fault >= 0) return walk.fault;
      this.tlb.fill(linear, walk);
      return FILL.done;
    } catch (error) {
      return (error as Error).message;
    }
  }

  seen(linear: number): unknown {
    const { memory, walker } = this;
    const page = linear >>> 12;
    const words = (at: number, count: number): number[] => [...memory.i32.subarray(at >> 2, (at >> 2) + count)];
    const tables = [TLB_READ_SUPERVISOR, TLB_READ_USER, TLB_WRITE_SUPERVISOR, TLB_WRITE_USER];
    const list = (at: number): number[] => words(at, 1 + Math.min(memory.i32[at >> 2]!, 100));
    return {
      entries: tables.map((table) => words(table + 4 * page, 1)),
      marks: memory.u8[TLB_PAGES + page],
      lists: [list(TLB_LISTS.local), list(TLB_LISTS.global)],
      mappings: words(WRITE_MAPPINGS, 2 * PAGES),
      tables: words(RAM_BASE, 0x4000 / 4),
      settings: walker.save(),
    };
  }
}

function randomEntry(random: RandomNumbers, frame: number): number {
  const flags = random.chance(80) ? 0x67 : random.below(0x1000);
  // Few have all that it takes.
  return ((frame << 12) | (flags & ~(1 << random.below(12)))) >>> 0;
}

function randomise(machine: Machine, random: RandomNumbers, strict: boolean): void {
  const { memory, walker } = machine;
  const pae = random.chance(50);
  walker.mode = pae ? PAGING.pae : PAGING.twoLevel;
  walker.root = random.chance(95) ? ROOT : random.below(2 ** 32);
  walker.writeProtect = random.chance(50);
  walker.noExecute = random.chance(50);
  walker.largePages = random.chance(70);
  walker.globalPages = random.chance(50);
  walker.globalFrom = random.chance(50) ? 0xc000_0000 : 0x1_0000_0000;
  const width = pae ? 2 : 1;
  for (let i = 0; i < 8; i++) {
    const frame = random.chance(90) ? random.below(PAGES) : random.below(1 << 20);
    const large = random.chance(70) ? frame & ~0x3ff : frame;
    const directory = random.chance(80) ? TABLE >>> 12 : large;
    memory.write32((pae ? MIDDLE : ROOT) + 4 * width * i, randomEntry(random, directory));
    memory.write32(TABLE + 4 * width * i, randomEntry(random, frame));
    if (!pae) continue;
    const high = (): number => (random.chance(60) ? 0 : random.chance(60) ? 0x8000_0000 : random.below(2 ** 32));
    if (i < 4)
      memory.write32(ROOT + 8 * i, (MIDDLE | (strict || random.chance(50) ? 1 : randomEntry(random, 0))) >>> 0);
    if (i < 4) memory.write32(ROOT + 8 * i + 4, strict && random.chance(10) ? 1 : 0);
    memory.write32(MIDDLE + 8 * i + 4, high());
    memory.write32(TABLE + 8 * i + 4, high());
  }
  for (const page of [1, 2, 3, random.below(PAGES)]) memory.codePages[page] = random.chance(10) ? CODE_PAGE.decoded : 0;
}

for (const strict of [false, true])
  test(`random page tables are walked alike by both${strict ? ', under the rules of lguest' : ''}`, () => {
    const [one, other] = [new Machine(strict), new Machine(strict)];
    const outcomes = { done: 0, fault: 0, unusual: 0 };
    for (let n = 0; n < WALKS; n++) {
      if (n % 8 === 0) for (const machine of [one, other]) randomise(machine, new RandomNumbers(n + 1), strict);
      const random = new RandomNumbers(n + 1_000_000);
      const [level, page] = [random.below(4) * 2 ** 30, random.below(8)];
      const large = random.below(8);
      const twoLevel = one.walker.mode === PAGING.twoLevel;
      const linear = ((twoLevel ? large * 2 ** 22 : level + large * 2 ** 21) + page * 4096 + random.below(4096)) >>> 0;
      const access = random.pick([0, 2, 4, 6, 16, 20]);
      if (random.chance(3)) {
        const everything = random.chance(50);
        for (const { tlb } of [one, other]) if (everything) tlb.flush();
        for (const { tlb } of [one, other]) tlb.flushLocal();
      }
      const expected = one.fill(linear, access);
      const answer = other.fillInWebAssembly(linear, access);
      if (answer === FILL.unusual) {
        outcomes.unusual++;
        assert.equal(other.fill(linear, access), expected);
      } else {
        outcomes[answer === FILL.done ? 'done' : 'fault']++;
        assert.equal(answer, expected);
      }
      assert.deepEqual(other.seen(linear), one.seen(linear), `walk ${n} of ${linear.toString(16)} for ${access}`);
    }
    for (const [what, count] of Object.entries(outcomes)) assert.ok(count > WALKS / 50, `${what}: ${count}`);
  });

test('what is not for the TLB, or does not fit into it, is left to others', () => {
  const { memory, walker, fillInWebAssembly } = new Machine(false);
  walker.mode = PAGING.twoLevel;
  walker.root = ROOT;
  memory.write32(ROOT, TABLE | 0x67);
  memory.write32(TABLE, 0x5067);
  memory.i32[STATE.eflags >> 2] = FLAG.AC;
  assert.equal(fillInWebAssembly(0, 0), FILL.unusual);
  memory.i32[STATE.eflags >> 2] = 0;
  memory.i32[TLB_LISTS.local >> 2] = TLB_LIST_ENTRIES;
  assert.equal(fillInWebAssembly(0, 0), FILL.unusual);
  memory.i32[TLB_LISTS.local >> 2] = 0;
  assert.equal(fillInWebAssembly(0, 0), FILL.done);
  walker.mode = PAGING.flat;
  assert.equal(fillInWebAssembly(0, 0), FILL.unusual);
});
