import assert from 'node:assert/strict';
import test from 'node:test';
import { DIRECT_TRAPS, STATE } from '../../src/memory/layout.js';
import { AT_ONCE, attachTranslator } from './attach.js';
import { KernelMachine, kernelProgram, type Traps } from './kernel-code.js';
import { RandomNumbers } from './random-numbers.js';

const PROGRAMS = 20;

function outcome(machine: KernelMachine, end: string): unknown {
  const { state, memory } = machine.cpu;
  const { registers, eip, eflags, cpl, retired } = state;
  return {
    events: [...machine.events],
    end,
    state: { registers: [...registers], eip, eflags, cpl, retired },
    segments: [...memory.u32.subarray(STATE.segments >> 2, (STATE.segments >> 2) + 32)],
    memory: Buffer.from(memory.bytes(0x1_0000, 0x1_0000)).toString('hex'),
  };
}

for (const traps of ['end runs', 'at once', 'direct'] as const)
  test(`random kernel code does the same translated and interpreted; traps: ${traps}`, () => compare(traps));

function compare(traps: Traps): void {
  const interpreting = new KernelMachine(traps);
  const translating = new KernelMachine(traps);
  // And interpreter/gates.ts does what those do that know everything.
  if (traps !== 'end runs') interpreting.cpu.enterHandler = () => false;
  interpreting.cpu.memory.u32[DIRECT_TRAPS >> 2] = 0;
  const translator = attachTranslator(translating.cpu, AT_ONCE);
  let events = 0;
  let halts = 0;
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const code = kernelProgram(new RandomNumbers(seed));
    const numbers = new RandomNumbers(seed + 1000);
    const data = Uint8Array.from({ length: 0x400 }, () => numbers.next());
    interpreting.start(code, data);
    translating.start(code, data);
    const expected = outcome(
      interpreting,
      interpreting.run(() => 1 << 16),
    );
    const slice = (): number => (numbers.chance(60) ? 1 << 16 : 1 + numbers.below(40));
    const actual = outcome(translating, translating.run(slice));
    assert.deepEqual(actual, expected, `seed ${seed}: ${Buffer.from(code).toString('hex')}`);
    events += interpreting.events.length;
    if (interpreting.cpu.state.registers[5] === 0) halts++;
  }
  assert.ok(translator.statistics().translated > PROGRAMS);
  assert.ok(events > (traps === 'direct' ? 5 : 20) * PROGRAMS, `${events} events`);
  assert.ok(halts > PROGRAMS / 2, `${halts} programs ran to their end`);
  // Nothing of this is left to the interpreter, but what is rare.
  const { leftFor } = translator.statistics();
  for (const name of ['pushf', 'cli', 'pop fs', 'rdtsc', 'sysenter', 'sysexit', 'iret', 'int', 'invlpg'])
    assert.equal(leftFor[name], undefined, name);
  // A segment is loaded from a table that is not in the TLB.
  assert.ok((leftFor['mov'] ?? 0) < 20 * PROGRAMS, `mov: ${leftFor['mov']}`);
}
