import assert from 'node:assert/strict';
import test from 'node:test';
import { assemble } from '../../guest/assembler/index.js';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import type { RegionTranslator } from '../../src/jit/index.js';
import { JumpProfiles, jumpKey } from '../../src/jit/jump-profiles.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { JUMP_TARGETS } from '../../src/memory/layout.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Interpreters in the guest, whose computed jumps leave regions until these have learned where they go. */

const OPERATIONS = 12;
const ROUNDS = 8000;

/**
 * Runs a program of operations in EDX, each of which jumps to the next: an operation adds, or shifts, or loops, or
 * calls; the last goes back to the start until EBP is used up. Some fall into others, and into their loops.
 */
const PROGRAM = `
    mov ebp, ${ROUNDS}
start:
    mov edx, program
next:
    movzx ecx, byte [edx]
    inc edx
    mov ebx, 0x1000
    mov ecx, [table + ecx * 4]
    add ecx, ebx
    jmp ecx
${Array.from({ length: OPERATIONS }, (_, i) => operation(i)).join('\n')}
last:
    dec ebp
    jnz start
    int3
small:
    xor eax, edi
    ret
program:
    db ${Array.from({ length: 64 }, (_, i) => (i === 63 ? OPERATIONS : (i * 7 + (i >> 3)) % OPERATIONS)).join(', ')}
table:
    dd ${Array.from({ length: OPERATIONS }, (_, i) => `operation${i} - 0x1000`).join(', ')}, last - 0x1000
`;

function operation(i: number): string {
  const work = [
    `add eax, ${i * 77}`,
    `rol eax, ${i + 1}`,
    `mov ecx, 3\nagain${i}:\nadd eax, ecx\ndec ecx\njnz again${i}`,
    `call small\nadc eax, ${i}`,
  ][i % 4]!;
  // Every third falls into the next one.
  const onwards = [
    `jmp next`,
    `movzx ecx, byte [edx]\ninc edx\nmov ecx, [table + ecx * 4]\nadd ecx, 0x1000\njmp ecx`,
    i + 1 < OPERATIONS ? '' : 'jmp next',
  ][i % 3]!;
  return `operation${i}:\n${work}\n${onwards}`;
}

function machine(): Processor {
  const { sections } = assemble([
    { name: 'test', text: `section .text physical=0x1000 virtual=0x1000\nbegin:\n${PROGRAM}` },
  ]);
  const cpu = createMachine(sections[0]!.bytes, { at: 0x1000 });
  cpu.state.registers[4] = 0x8_0000;
  return cpu;
}

function finish(cpu: Processor, slice: number, translator?: RegionTranslator): string {
  for (let i = 0; cpu.run(slice) === EXIT.budget; i++) if (i % 16 === 0) translator?.translateWaiting();
  const { state, exit } = cpu;
  return [...state.registers, state.eip, state.eflags, state.retired, exit.reason, exit.vector].join();
}

test('an interpreter does the same, and comes to stay in one region', () => {
  const expected = finish(machine(), 1 << 16);
  for (const [slice, threshold] of [
    [20_000, 1],
    [997, 50],
  ] as const) {
    const cpu = machine();
    const ends: string[] = [];
    const entries: number[] = [];
    const translator = attachTranslator(cpu, {
      ...AT_ONCE,
      threshold,
      onlyWhatRan: true,
      observer: {
        regionMade: (region) => entries.push(region.entries),
        regionEnded: (_, why) => ends.push(why),
        regionRefused: () => {},
        moduleCompiled: () => {},
        flushed: () => {},
      },
    });
    assert.equal(finish(cpu, slice, translator), expected);
    assert.ok(Math.max(...entries) >= OPERATIONS, `regions with ${entries.join()} entries`);
    assert.ok(ends.includes('replaced'));
    // Every jump that leaves a region is one that a hub would have spared.
    const jumps = finishedJumps(cpu);
    assert.ok(jumps < 64 * ROUNDS * 0.5, `${jumps} jumps left regions`);
  }
});

/**
 * As interpreters of real languages: every operation jumps to the next one itself, and which operations there are turns
 * out as the program goes on. Each of `PHASES` programs is run for a while, then all in turns.
 */
const PHASES = 4;
const IN_PHASE = 6;
const DISPATCH = `
    movzx ecx, byte [edx]
    inc edx
    mov ecx, [table + ecx * 4]
    jmp ecx`;
const SPREAD = `
    mov esi, 0
phase:
    mov ebp, 30000
again:
    mov edx, [programs + esi * 4]
    ${DISPATCH}
${Array.from({ length: PHASES * IN_PHASE }, (_, i) => `operation${i}:\n add eax, ${i * 77}\n rol eax, ${(i % 7) + 1}\n${DISPATCH}`).join('\n')}
last:
    dec ebp
    jnz again
    inc esi
    cmp esi, ${3 * PHASES}
    jne phase
    int3
${Array.from({ length: PHASES }, (_, phase) => `program${phase}:\n db ${phaseOf(phase)}`).join('\n')}
    align 4
programs:
    dd ${Array.from({ length: 3 * PHASES }, (_, i) => `program${i % PHASES}`).join(', ')}
table:
    dd ${Array.from({ length: PHASES * IN_PHASE }, (_, i) => `operation${i}`).join(', ')}, last
`;

function phaseOf(phase: number): string {
  const operations = Array.from({ length: 3 * IN_PHASE }, (_, i) => phase * IN_PHASE + ((i * 5 + (i >> 2)) % IN_PHASE));
  return [...operations, PHASES * IN_PHASE].join(', ');
}

test('an interpreter whose operations turn up one after the other keeps its hub', () => {
  const { sections } = assemble([
    { name: 'test', text: `section .text physical=0x1000 virtual=0x1000\nbegin:\n${SPREAD}` },
  ]);
  const create = (): Processor => createMachine(sections[0]!.bytes, { at: 0x1000 });
  const expected = finish(create(), 1 << 16);
  const cpu = create();
  const hubs: number[] = [];
  const places = new Set<number>();
  const translator = attachTranslator(cpu, {
    ...AT_ONCE,
    threshold: 50,
    onlyWhatRan: true,
    observer: {
      regionMade: ({ entries, entry }) => {
        if (entries === 1) return;
        hubs.push(entries);
        places.add(entry);
      },
      regionEnded: () => {},
      regionRefused: () => {},
      moduleCompiled: () => {},
      flushed: () => {},
    },
  });
  assert.equal(finish(cpu, 20_000, translator), expected);
  assert.ok(hubs.length > 0 && hubs.length <= 6, `hubs with ${hubs.join()} entries`);
  assert.equal(places.size, 1, 'there is more than one hub');
  assert.deepEqual(
    hubs.toSorted((a, b) => a - b),
    hubs,
    'a hub has lost entries',
  );
  assert.ok(hubs.at(-1)! >= PHASES * IN_PHASE, `the last hub has ${hubs.at(-1)} entries`);
});

function finishedJumps(cpu: Processor): number {
  const words = cpu.memory.i32.subarray(JUMP_TARGETS >> 2, (JUMP_TARGETS >> 2) + 256 * 256);
  let sum = 0;
  for (let profile = 0; profile < 256; profile++) sum += words[profile * 256 + 128]!;
  return sum;
}

test('code of an interpreter that is overwritten', () => {
  const cpus = [machine(), machine()];
  const translator = attachTranslator(cpus[1]!, { ...AT_ONCE, threshold: 1, onlyWhatRan: true });
  const results = cpus.map((cpu, i) => {
    let changed = false;
    for (let n = 0; cpu.run(20_000) === EXIT.budget; n++) {
      if (i === 1) translator.translateWaiting();
      if (n < 60 || changed) continue;
      // `rol eax, 2` of the second operation becomes `ror`.
      changed = true;
      const code = cpu.memory.bytes(0x1000, 0x200);
      const at = code.findIndex((byte, k) => byte === 0xc1 && code[k + 1] === 0xc0 && code[k + 2] === 2);
      assert.ok(at > 0);
      cpu.memory.writeBytes(0x1000 + at + 1, Uint8Array.of(0xc8));
    }
    assert.equal(cpu.exit.vector, 3);
    return [...cpu.state.registers, cpu.state.retired].join();
  });
  assert.equal(results[1], results[0]);
});

test('a profile lists targets, and makes room for others', () => {
  const { i32 } = new GuestMemory(1 << 20);
  const profiles = new JumpProfiles(i32);
  const key = jumpKey(0x1234, true);
  const offset = profiles.open(key);
  assert.equal(profiles.open(key), offset);
  i32[offset >> 2] = 0x7000;
  i32[(offset >> 2) + 9] = 0x8000_0000 | 0;
  i32[(offset >> 2) + 128] = 10;
  assert.deepEqual(profiles.targets(key), [0x7000, 0x8000_0000]);
  assert.deepEqual([...profiles.takeBusy(11)], []);
  assert.deepEqual([...profiles.takeBusy(10)], [{ key, jumps: 10 }]);
  assert.deepEqual([...profiles.takeBusy(10)], []);
  for (let jump = 0; jump < 256; jump++) profiles.open(jumpKey(jump, false));
  assert.deepEqual(profiles.targets(key), []);
  assert.deepEqual(profiles.targets(jumpKey(255, false)), []);
});
