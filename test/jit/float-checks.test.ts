import assert from 'node:assert/strict';
import test from 'node:test';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import { CR4 } from '../../src/cpu/state.js';
import { RAM_BASE, STATE } from '../../src/memory/layout.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Floating-point instructions are checked together, and only where something happens that others can see. */

const CODE = 0x1000;
const DATA = 0x8000;
const at = (offset: number): number[] => [offset & 0xff, 0x80, 0, 0];
const load = (register: number, offset: number): number[] => [0xf2, 0x0f, 0x10, 5 | (register << 3), ...at(offset)];
const store = (offset: number, register: number): number[] => [0xf2, 0x0f, 0x11, 5 | (register << 3), ...at(offset)];
const add = (to: number, from: number): number[] => [0xf2, 0x0f, 0x58, 0xc0 | (to << 3) | from];
const multiply = (to: number, from: number): number[] => [0xf2, 0x0f, 0x59, 0xc0 | (to << 3) | from];
const divide = (to: number, from: number): number[] => [0xf2, 0x0f, 0x5e, 0xc0 | (to << 3) | from];
const INT3 = 0xcc;
const PRECISION = 0x20;
const DENORMAL = 0x02;

function machine(code: number[], data: readonly number[]): Processor {
  const cpu = createMachine(code);
  cpu.state.set(STATE.cr4, CR4.OSFXSR | CR4.OSXMMEXCPT);
  prepare(cpu, data, 0x1f80 | PRECISION);
  return cpu;
}

/** At the beginning again. */
function prepare(cpu: Processor, data: readonly number[], mxcsr: number): void {
  cpu.state.eip = CODE;
  cpu.state.set(STATE.mxcsr, mxcsr);
  cpu.fpuStateChanged();
  cpu.memory.u8.fill(0, STATE.xmm, STATE.xmm + 128);
  for (const [i, value] of data.entries()) cpu.memory.view.setFloat64(RAM_BASE + DATA + 8 * i, value, true);
}

function runToEnd(cpu: Processor): void {
  while (cpu.run(100_000) === EXIT.budget);
}

function everything(cpu: Processor): Uint8Array {
  // Up to and with the XMM registers, but for what is only the interpreter's.
  const { u8 } = cpu.memory;
  return Uint8Array.from([
    ...u8.subarray(0, 0x20),
    ...u8.subarray(STATE.eip, STATE.eip + 4),
    ...u8.subarray(STATE.mxcsr, STATE.mxcsr + 4),
    ...u8.subarray(STATE.xmm, STATE.xmm + 128),
    ...u8.subarray(RAM_BASE + DATA, RAM_BASE + DATA + 128),
  ]);
}

/** Runs it both ways, with each of `data` and each of `modes`. */
function compare(code: number[], data: readonly (readonly number[])[], modes = [0x1f80 | PRECISION]): Processor {
  const plain = machine(code, []);
  const translated = machine(code, []);
  const withAnyNumbers = machine(code, []);
  attachTranslator(translated, AT_ONCE);
  attachTranslator(withAnyNumbers, { ...AT_ONCE, anyNumbers: true });
  for (const numbers of data) {
    for (const mxcsr of modes) {
      for (const cpu of [plain, translated, withAnyNumbers]) {
        prepare(cpu, numbers, mxcsr);
        runToEnd(cpu);
      }
      assert.deepEqual(everything(translated), everything(plain));
      assert.deepEqual(everything(withAnyNumbers), everything(plain));
    }
  }
  return translated;
}

test('a loop computes what it should, down to the smallest numbers', () => {
  const loop = [...load(1, 0), ...multiply(1, 2), ...add(0, 1), ...add(0, 3), ...divide(2, 4), ...store(8, 0), 0x49];
  const code = [...load(2, 0), ...load(4, 16), 0xb9, 0x20, 0x4e, 0, 0, ...loop, 0x75, -(loop.length + 2) & 0xff, INT3];
  const cpu = machine(code, [3, 0, 1.25]);
  const translator = attachTranslator(cpu, AT_ONCE);
  runToEnd(cpu);
  let sum = 0;
  for (let i = 0, factor = 3; i < 20000; i++, factor /= 1.25) sum += 3 * factor;
  assert.equal(cpu.memory.view.getFloat64(RAM_BASE + DATA + 8, true), sum);
  assert.ok(translator.statistics().translated > 0);
});

test('zeros among the numbers do not lead out of a region', () => {
  const loop = [...load(1, 0), ...multiply(1, 0), ...add(1, 3), ...add(2, 1), ...store(8, 2), 0x49];
  const code = [0xb9, 0x20, 0x4e, 0, 0, ...loop, 0x75, -(loop.length + 2) & 0xff, INT3];
  const cpu = machine(code, [0.1, 0]);
  const translator = attachTranslator(cpu, AT_ONCE);
  runToEnd(cpu);
  const { instruction, numbers } = translator.statistics().leaves;
  assert.ok(instruction + numbers < 100);
});

test('comparisons take zeros for granted, and see denormals and NaNs', () => {
  const compareWith = [0x66, 0x0f, 0x2f, 0xc1, 0x0f, 0x97, 0xc0, 0x0f, 0x9a, 0xc4];
  const least = [0xf2, 0x0f, 0x5d, 0xc1];
  const code = [...load(0, 0), ...load(1, 8), ...compareWith, ...least, ...store(24, 0), ...add(0, 1), INT3];
  const values = [0, -0, 1.5, -2, 2 ** -1070, -(2 ** -1074), 2 ** -1022, Infinity, Number.NaN];
  compare(
    code,
    values.flatMap((x) => values.map((y) => [x, y])),
    [0x1f80 | PRECISION, 0x1f80, 0x9fe0],
  );
});

test('a loop that meets infinities and NaNs all the time gets a region for them', () => {
  const packed = (opcode: number, to: number, from: number): number[] => [0x0f, opcode, 0xc0 | (to << 3) | from];
  const compareLess = [0x0f, 0xc2, 0xd8, 1];
  const packedStore = [0x0f, 0x29, 0x1d, ...at(64)];
  // Squares without end: infinities, whose differences are NaNs. xmm3: what is less than xmm0.
  const body = [...packed(0x59, 0, 0), ...packed(0x28, 2, 0), ...packed(0x5c, 2, 0), ...packed(0x58, 1, 2)];
  const loop = [...body, ...packed(0x28, 3, 1), ...compareLess, ...packedStore, 0x49];
  const begin = [0x0f, 0x28, 0x05, ...at(0), 0x0f, 0x28, 0x0d, ...at(16), 0xb9, 0x20, 0x4e, 0, 0];
  const code = [...begin, ...loop, 0x75, -(loop.length + 2) & 0xff, INT3];
  const data = [1.5, 0.25, 3, -2];
  const plain = machine(code, data);
  const cpu = machine(code, data);
  const translator = attachTranslator(cpu, { ...AT_ONCE, onlyWhatRan: true });
  runToEnd(plain);
  while (cpu.run(200) === EXIT.budget) translator.betweenTurns();
  assert.deepEqual(everything(cpu), everything(plain));
  assert.ok(translator.statistics().leaves.numbers < 2000, `${translator.statistics().leaves.numbers} leaves`);
});

test('a flag that is not set yet is set: PE, DE', () => {
  const code = [...load(0, 0), ...load(1, 8), ...load(2, 16), ...add(2, 0), ...multiply(0, 1), ...divide(2, 1)];
  const data = [
    [0.1, 3, 1],
    [2 ** -1070, 3, 1],
    [1e308, 1e10, 1],
    [2 ** -1000, 2 ** -60, 1],
    [NaN, 1, 1],
    [1, 0, 1],
  ];
  compare([...code, ...store(24, 0), INT3], data, [0x1f80, 0x1fa0, 0x9fa0, 0x5f80, 0x1fe0]);
  const cpu = compare([...load(0, 0), ...load(1, 8), ...add(1, 0), INT3], [[2 ** -1070, 3]]);
  assert.equal(cpu.state.get(STATE.mxcsr), 0x1f80 | PRECISION | DENORMAL);
});

test('what has been stored is there when a later instruction faults or reads it', () => {
  const begin = [...load(0, 0), ...load(1, 8), ...multiply(0, 1), ...store(16, 0), ...add(0, 1), ...store(24, 0)];
  // Beyond the end of memory.
  compare([...begin, 0xa1, 0, 0, 0, 0x40, INT3], [[1.5, 2.5]]);
  // The same bytes by another register, in two halves.
  const pointer = [0xbb, 16, 0x80, 0, 0, ...begin, 0x8b, 0x03, 0x8b, 0x53, 0x04, INT3];
  const cpu = compare(pointer, [[1.5, 2.5]]);
  assert.equal(cpu.state.registers[2], 0x400e_0000);
  // A number that is not plain after a store: the store is not done twice to see it.
  compare([...begin, ...divide(0, 7), ...store(32, 0), INT3], [[1.5, 2.5]]);
});

test('differences may be zero, and numbers too small to be sure of are looked at', () => {
  const subtract = (to: number, from: number): number[] => [0xf2, 0x0f, 0x5c, 0xc0 | (to << 3) | from];
  const most = (to: number, from: number): number[] => [0xf2, 0x0f, 0x5f, 0xc0 | (to << 3) | from];
  const first = [...load(0, 0), ...load(1, 8), ...load(2, 16), ...subtract(0, 1)];
  // The difference of tiny numbers is denormal, which the next instruction has to say. A store in between makes two
  // checks of it.
  const code = [...first, ...add(0, 2), ...most(0, 1), ...store(24, 0), ...subtract(1, 2), ...multiply(1, 0), INT3];
  const others = [...first, ...store(24, 0), ...subtract(1, 0), ...most(2, 1), ...store(32, 2), INT3];
  const tiny = 2 ** -1021;
  const data = [
    [1.5, 1.5, 0.25],
    [1.5, 1.25, 0.25],
    [tiny, tiny * (1 + 2 ** -52), tiny],
    [tiny * 1.5, tiny, tiny],
    [2 ** -968, 2 ** -968 * (1 + 2 ** -52), 2 ** -1000],
    [Number.MAX_VALUE, -Number.MAX_VALUE, 1],
    [0, 0, tiny],
    [Number.NaN, 1, 2],
  ];
  for (const program of [code, others]) compare(program, data, [0x1f80 | PRECISION, 0x1f80]);
});

test('what is an ordinary float may be no ordinary double, and the other way round', () => {
  const loadBoth = (register: number, offset: number): number[] => [0x0f, 0x28, 5 | (register << 3), ...at(offset)];
  const multiplyFloats = [0x0f, 0x59, 0xc1];
  const addDoubles = [0x66, 0x0f, 0x58, 0xd1];
  const begin = [...loadBoth(0, 0), ...loadBoth(1, 16), ...loadBoth(2, 32)];
  // PUNPCKLBW mm4, which is a helper's, makes two checks of it.
  const between = [0x0f, 0x60, 0x25, ...at(64)];
  // Floats 1 and 0 make a denormal double; 1 + 2 ** -52 has a denormal float in its lower half.
  const numbers = [2 ** -1074 * 0x3f80_0000, 1 + 2 ** -52, 1.5];
  const data = numbers.flatMap((x) => numbers.map((y) => [x, x, y, y, 1.5, 1.5]));
  compare([...begin, ...multiplyFloats, ...between, ...addDoubles, INT3], data, [0x1fa0]);
  compare([...begin, ...addDoubles, ...between, ...multiplyFloats, INT3], data, [0x1fa0]);
});

test('NaNs come out of ADDSUB with their signs', () => {
  const begin = [0x0f, 0x28, 0x05, ...at(0), 0x0f, 0x28, 0x0d, ...at(16)];
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, 1.5];
  const data = numbers.flatMap((x) => numbers.map((y) => [x, y, y, x]));
  for (const prefix of [0xf2, 0x66]) compare([...begin, prefix, 0x0f, 0xd0, 0xc1, INT3], data, [0x1f80, 0x1fbf]);
});
