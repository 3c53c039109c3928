import assert from 'node:assert/strict';
import test from 'node:test';
import type { Processor } from '../../src/cpu/processor.js';
import { ADDRESSING, Forms, type HandlerForm } from '../../src/cpu/interpreter/forms.js';
import { CARRIED, carrierOf } from '../../src/cpu/interpreter/carried.js';
import { ARENA, JUMP_CACHE, JUMP_HASH, RECORD_BYTES, STATE } from '../../src/memory/layout.js';
import { RandomNumbers } from '../jit/random-numbers.js';
import { createMachine } from './machine-code.js';

/** Instructions that the one before them has a part in: pairs that one handler does, and carried registers. */

const [CODE, DATA, STACK] = [0x1000, 0x8000, 0xc000];
const [EAX, ECX, EDX, EBX, ESP, ESI, EDI] = [0, 1, 2, 3, 4, 6, 7] as const;
const INT3 = 0xcc;
const ROUNDS = 24;

const dword = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

/** An instruction of the form, with memory operands around ESI. */
function encode(form: HandlerForm, random: RandomNumbers): number[] {
  const { encoding } = form;
  const code = encoding.map === 1 ? [0x0f] : [];
  code.push(
    encoding.operands.some((o) => o.kind === 'opcodeRegister') ? encoding.opcode + random.below(8) : encoding.opcode,
  );
  if (encoding.hasModrm) {
    const reg = (encoding.digit >= 0 ? encoding.digit : random.below(8)) << 3;
    if (form.addressing === ADDRESSING.none) code.push(0xc0 | reg | random.below(8));
    else if (form.addressing === ADDRESSING.simple) code.push(0x80 | reg | ESI, ...dword(random.below(64)));
    else code.push(0x84 | reg, (EDI << 3) | ESI, ...dword(random.below(64)));
  }
  for (const { kind, size, signExtended } of encoding.operands) {
    const bytes = size === 8 || signExtended ? 1 : 4;
    if (kind === 'immediate') code.push(...dword(random.next()).slice(0, bytes));
    // Over one NOP.
    if (kind === 'relative') code.push(...dword(1).slice(0, bytes));
  }
  return code;
}

/** These instructions, INT3 on all ways out, and registers and memory from the same random numbers. */
function prepare(cpu: Processor, code: readonly number[], seed: number): Processor {
  const random = new RandomNumbers(seed);
  const { memory, state } = cpu;
  const write = (at: number, bytes: readonly number[]): void => memory.writeBytes(at, Uint8Array.from(bytes));
  write(CODE, [...code, 0x90, INT3]);
  state.eip = CODE;
  for (let i = 0; i < 8; i++) state.registers[i] = random.next();
  state.registers[ESP] = STACK;
  state.registers[ESI] = DATA;
  state.registers[EDI] = random.below(16);
  state.set(STATE.flagsResult, random.below(2) === 0 ? 0 : random.next());
  state.set(STATE.flagsAux, random.next() & 0xc000_0008);
  for (let at = DATA; at < DATA + 256; at += 4) write(at, dword(random.next()));
  for (let at = STACK - 64; at < STACK + 64; at += 4) write(at, dword(CODE + code.length + 1));
  return cpu;
}

function outcome(cpu: Processor, budget: number): unknown {
  const { state, memory } = cpu;
  const before = state.retired;
  const exit = cpu.run(budget);
  return {
    exit,
    vector: cpu.exit.vector,
    eip: state.eip,
    registers: [...state.registers],
    flags: [state.get(STATE.flagsResult), state.get(STATE.flagsAux)],
    retired: state.retired - before,
    data: [...memory.bytes(DATA, 256)],
    stack: [...memory.bytes(STACK - 64, 128)],
  };
}

const forms = new Forms();

test('pairs do what their instructions do', () => {
  const random = new RandomNumbers(90);
  const together = createMachine([], { at: CODE });
  const apart = createMachine([], { at: CODE });
  apart.torture.oneInstructionBlocks = true;
  let pairs = 0;
  for (const [handler, [first, second]] of forms.hot.entries()) {
    if (!first || !second || (first.carried | second.carried) !== 0) continue;
    pairs++;
    for (let round = 0; round < ROUNDS; round++) {
      const code = [...encode(first.form, random), ...encode(second.form, random)];
      const seed = random.next();
      const expected = outcome(prepare(apart, code, seed), 4);
      const said = `${first.form.row.name} ${second.form.row.name}: ${code.map((byte) => byte.toString(16)).join(' ')}`;
      assert.deepEqual(outcome(prepare(together, code, seed), 4), expected, said);
      if (pairs === 1 && round === 0) assert.equal(together.memory.i32[ARENA >> 2]! & 0xffff, handler);
    }
  }
  assert.ok(pairs > 50);
});

test('an instruction is given what the one before has written', () => {
  const random = new RandomNumbers(91);
  const together = createMachine([], { at: CODE });
  const apart = createMachine([], { at: CODE });
  apart.torture.oneInstructionBlocks = true;
  const carriers = forms.hot.flatMap((steps) =>
    steps.length === 1 && carrierOf(steps[0]!.form) >= 0 ? [steps[0]!.form] : [],
  );
  // Where the jump cache has the block's first record; the second instruction's is the next.
  const entry = JUMP_CACHE + ((Math.imul(CODE, JUMP_HASH.factor) >>> JUMP_HASH.shift) & JUMP_HASH.mask);
  const second = (): number => together.memory.i32[(entry + 8) >> 2]! + RECORD_BYTES;
  for (const [handler, steps] of forms.hot.entries()) {
    const [step] = steps;
    if (steps.length !== 1 || step!.carried === CARRIED.none) continue;
    for (let met = 0, tried = 0; met < 8; tried++) {
      assert.ok(tried < 2000, `${step!.form.row.name} is never given its operand ${step!.carried}`);
      const carrier = carriers[random.below(carriers.length)]!;
      const code = [...encode(carrier, random), ...encode(step!.form, random)];
      const seed = random.next();
      const expected = outcome(prepare(apart, code, seed), 4);
      assert.deepEqual(
        outcome(prepare(together, code, seed), 4),
        expected,
        code.map((byte) => byte.toString(16)).join(' '),
      );
      if ((together.memory.i32[second() >> 2]! & 0xffff) === handler) met++;
    }
  }
});

test('a budget ends between the two', () => {
  // push eax; push ecx
  const cpu = prepare(createMachine([]), [0x50, 0x51], 1);
  cpu.run(1);
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP]], [CODE + 1, STACK - 4]);
  cpu.run(1);
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP]], [CODE + 2, STACK - 8]);
});

test('the first one may write the second one', () => {
  // mov [ebx], eax; mov ecx, edx, which becomes mov ecx, esi
  const cpu = prepare(createMachine([]), [0x89, 0x03, 0x89, 0xd1], 2);
  const { registers } = cpu.state;
  registers[EBX] = CODE + 2;
  registers[EAX] = 0xcc90_f189 | 0;
  registers[ECX] = 1;
  registers[EDX] = 2;
  // So that there is a block when it is written to.
  outcome(cpu, 8);
  assert.equal(registers[ECX], DATA);
});
