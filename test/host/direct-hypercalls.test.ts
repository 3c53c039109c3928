import assert from 'node:assert/strict';
import test from 'node:test';
import type { GenerationTag } from '../../src/host/generation.js';
import { HYPERCALL_VECTOR } from '../../src/isa/software-interrupts.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { AT_ONCE, attachTranslator } from '../jit/attach.js';
import { RandomNumbers } from '../jit/random-numbers.js';
import { DATA, initialisedGuest, INT_1F, PAGE_OFFSET, STACK, type TestGuest, VMCALL, word } from './test-guest.js';

/** Hypercalls that the processor serves by itself (cpu/interpreter/hypercalls.ts), against those that the Host serves. */

const DIRECTORIES = [0x20_0000, 0x20_1000] as const;
const PAE_DIRECTORIES = [0x20_0020, 0x20_1040] as const;
const USER_TABLES = [0x20_2000, 0x20_3000] as const;
const KERNEL_TABLE = 0x20_4000;
const MIDDLE_TABLES = [0x20_6000, 0x20_7000] as const;
const KERNEL_MIDDLE_TABLE = 0x20_8000;
const FRAMES = [0x21_0000, 0x21_1000, 0x21_2000] as const;
const TLS = 0x22_0000;
const USER_PAGE = 0x0080_0000;
const KERNEL_PAGE = 0xc030_0000;
const HANDLER = 0x11_0000;

class Guest {
  readonly guest: TestGuest;
  /** How often the Host was asked. */
  asked = 0;
  readonly log: unknown[] = [];
  private slot = 0;

  constructor(
    tag: GenerationTag,
    private readonly pae: boolean,
    private readonly instruction: readonly number[],
    direct: boolean,
  ) {
    const observer = direct ? {} : { hypercall: () => {} };
    this.guest = initialisedGuest(tag, { generation: { tag, pae }, observer });
    this.guest.gate(14, PAGE_OFFSET + HANDLER).gate(7, PAGE_OFFSET + HANDLER);
    this.guest.write(HANDLER, [0xeb, 0xfe]);
    this.makeTables();
    for (const [index, frame] of FRAMES.entries()) this.guest.memory.write32(frame, 0x1111 * (index + 1));
    this.guest.registers[4] = STACK;
    this.guest.call(4, [this.directory(0)]);
    const { host } = this.guest;
    const [hypercall, trap] = [host.hypercall.bind(host), host.trap.bind(host)];
    host.hypercall = () => {
      this.asked++;
      return hypercall();
    };
    host.trap = () => {
      if (host.cpu.exit.vector === HYPERCALL_VECTOR) this.asked++;
      return trap();
    };
  }

  directory(space: number): number {
    return (this.pae ? PAE_DIRECTORIES : DIRECTORIES)[space]!;
  }

  /** Identity and kernel's alias of 4 MB, shared; a table for `USER_PAGE` in each address space. */
  private makeTables(): void {
    const { memory } = this.guest;
    const entryBytes = this.pae ? 8 : 4;
    for (let page = 0; page < 1024; page++) memory.write32(KERNEL_TABLE + page * entryBytes, (page << 12) | 7);
    for (const space of [0, 1]) {
      const directory = this.directory(space);
      if (!this.pae) {
        for (const index of [0, 768]) memory.write32(directory + index * 4, KERNEL_TABLE | 7);
        memory.write32(directory + 8, USER_TABLES[space]! | 7);
        continue;
      }
      memory.write32(directory, MIDDLE_TABLES[space]! | 1);
      memory.write32(directory + 24, KERNEL_MIDDLE_TABLE | 1);
      for (const middle of [MIDDLE_TABLES[space]!, KERNEL_MIDDLE_TABLE])
        for (const half of [0, 1]) memory.write32(middle + 8 * half, (KERNEL_TABLE + 4096 * half) | 7);
      memory.write32(MIDDLE_TABLES[space]! + 8 * 4, USER_TABLES[space]! | 7);
    }
  }

  /** Sees the page, or the fault. */
  access(linear: number, write: boolean): void {
    const { guest } = this;
    guest.registers[0] = 0xdead;
    guest.execute([write ? 0xa3 : 0xa1, ...word(linear)], 2);
    const fault = guest.state.eip === PAGE_OFFSET + HANDLER ? guest.frame(1) : [];
    guest.registers[4] = STACK;
    this.log.push([guest.registers[0], fault]);
  }
  useFpu(): void {
    this.guest.execute([0xd9, 0xd0], 1);
    this.log.push(this.guest.state.eip);
    this.guest.registers[4] = STACK;
  }

  change(space: number, frame: number, flags: number): number {
    const entry = FRAMES[frame]! | flags;
    this.guest.memory.write32(USER_TABLES[space]!, entry);
    return entry;
  }

  post(call: number, args: readonly number[]): void {
    const { guest } = this;
    guest.postToRing(this.slot, [call, ...args].slice(0, guest.host.data.layout.ringEntryWords));
    this.slot = (this.slot + 1) % 64;
  }
  call(call: number, args: readonly number[]): void {
    this.guest.call(call, args, this.instruction);
    this.look();
  }

  look(): void {
    const { host, state, memory } = this.guest;
    const statistics = host.statistics.hypercalls;
    this.log.push({
      end: this.guest.end,
      registers: [...state.registers],
      ...{ eip: state.eip, cpl: state.cpl, eflags: state.eflags, retired: state.retired, cr0: state.get(STATE.cr0) },
      units: [state.get(STATE.fpuUnavailable), state.get(STATE.sseUnavailable)],
      segments: [ES, CS, SS, DS, FS, GS].map((index) => state.segment(index)),
      descriptors: [...memory.u8.subarray(STATE.hostGdt, STATE.hostGdt + 256)],
      root: host.pageTables.root,
      stack: { ...host.traps.stack },
      saved: host.save().pageTables,
      data: [...memory.bytes(DATA, 0x400)],
      entries: USER_TABLES.map((table) => memory.read32(table)),
      last: host.lastHypercall,
      statistics,
    });
  }
}

/** The same random steps, whoever serves. */
function walk(guest: Guest, seed: number, steps: number): void {
  const random = new RandomNumbers(seed);
  const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)]!;
  const { memory, registers } = guest.guest;
  /** Calls that a kernel would make, with what it does before. */
  const makers: readonly (() => [number, number[]])[] = [
    () => [0, []],
    () => [4, [guest.directory(random.below(2)), 0, 0, 0]],
    () => [5, [random.below(5) === 0 ? 1 : 0, 0, 0, 0]],
    () => [7, [pick([0x69, 0x61]), pick([STACK, STACK - 4096]), random.below(3), 0]],
    () => [8, [pick([0, 8]), 0, 0, 0]],
    () => {
      const space = random.below(2);
      const entry = guest.change(space, random.below(3), pick([0, 1, 3, 5, 7, 0x25, 0x27, 0x67, 0x65, 0x63]));
      return [14, [guest.directory(space), USER_PAGE, pick([entry, entry, 0]), 0]];
    },
    () => [14, [guest.directory(random.below(2)), KERNEL_PAGE, 0x30_0067, 0]],
    () => [15, [guest.directory(random.below(2)), pick([0, 2, 3, 768, 5000]), 0, 0]],
    () => {
      for (let i = 0; i < 24; i += 4)
        memory.write32(TLS + i, i % 8 === 0 ? random.next() : 0xcf_f300 ^ (random.next() & 0xff));
      return [16, [TLS + pick([0, 8]), 0, 0, 0]];
    },
    () => [guest.guest.host.generation!.generation.tag === 'C1' ? 0 : 19, []],
  ];
  for (let step = 0; step < steps && guest.guest.end === undefined; step++) {
    registers.fill(0, 1, 4);
    const [call, args] = pick(makers)();
    if (random.below(3) === 0) {
      guest.post(call, args);
      // What has changed is known only then.
      if (random.below(2) === 0) guest.call(0, []);
      else {
        const [other, words] = pick(makers)();
        guest.call(other, words);
      }
    } else guest.call(call, args);
    guest.access(pick([USER_PAGE, USER_PAGE + 8, KERNEL_PAGE]), random.below(2) === 0);
    if (random.below(4) === 0) guest.useFpu();
  }
}

const KINDS: readonly (readonly [GenerationTag, boolean, readonly number[]])[] = [
  ['C1', false, VMCALL],
  ['C2', false, VMCALL],
  ['C2', true, VMCALL],
  ['D1', false, INT_1F],
  ['D2', false, INT_1F],
  ['D2', true, INT_1F],
];

for (const [tag, pae, instruction] of KINDS)
  test(`hypercalls do the same whether the Host serves them or the processor does: ${tag}${pae ? ' with PAE' : ''}`, () => {
    const [direct, watched] = [true, false].map((kind) => {
      const guest = new Guest(tag, pae, instruction, kind);
      walk(guest, 7, 150);
      return guest;
    });
    assert.deepEqual(direct!.log, watched!.log);
    assert.equal(direct!.guest.end, undefined);
    assert.ok(direct!.asked < watched!.asked / 2, `${direct!.asked} of ${watched!.asked} by the Host`);
  });

test('what is wrong, or waits for an interrupt, is for the Host', () => {
  const cases: readonly (readonly [number, readonly number[], string | undefined])[] = [
    [7, [0x68, STACK, 1], 'bad stack segment 104'],
    [7, [0x69, STACK, 3], 'bad stack pages 3'],
    [7, [0x69, 0x7000_0000, 1], 'bad stack page 0x6fffffff'],
    [16, [0x7000_0000], 'bad read address 0x70000000 len 24'],
    [63, [], 'Bad hypercall 63'],
  ];
  for (const [call, args, end] of cases) {
    const guest = new Guest('D2', false, INT_1F, true);
    guest.call(call, args);
    assert.equal(guest.guest.end, end);
    assert.equal(guest.asked, 1, end);
  }
  const guest = new Guest('D2', false, INT_1F, true);
  guest.call(0, []);
  assert.equal(guest.asked, 0);
  guest.guest.host.raiseInterrupt(3);
  guest.call(0, []);
  assert.equal(guest.asked, 1);
});

test('translated code goes on behind hypercalls, unless there is something else to do', () => {
  /** FLUSH_ASYNC and `call` so many times; the code is on pages that FLUSH_TLB forgets. */
  const loop = (instruction: readonly number[], call: number): number[] => {
    const body = [
      ...[0xb8, ...word(0), ...instruction, 0x46],
      ...[0xb8, ...word(call), 0xbb, ...word(0), ...instruction, 0x45, 0x4f],
    ];
    return [0xbf, ...word(500), ...body, 0x75, 0x100 - body.length - 2];
  };
  for (const instruction of [INT_1F, VMCALL])
    for (const call of [8, 5]) {
      const outcomes = [false, true].map((translated) => {
        const guest = new Guest('D1', false, instruction, true);
        const { host, registers } = guest.guest;
        const translator = translated ? attachTranslator(host.cpu, AT_ONCE) : undefined;
        guest.guest.gate(0x23, PAGE_OFFSET + HANDLER);
        registers.fill(0, 5);
        guest.guest.execute(loop(instruction, call), 3000);
        // It comes behind a hypercall, where the guest then is.
        host.raiseInterrupt(3);
        guest.guest.memory.write32(DATA, 0x200);
        host.run(100);
        guest.look();
        guest.log.push(guest.guest.frame(3));
        return { log: guest.log, regions: translator?.statistics().translated ?? 0 };
      });
      assert.deepEqual(outcomes[1]!.log, outcomes[0]!.log);
      assert.ok(outcomes[1]!.regions > 0);
    }
});
