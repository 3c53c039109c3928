/** The x87's arithmetic in WebAssembly against that of `src/fpu`, on which it falls back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExactly } from '../../src/cpu/x87-unit/exact.js';
import { buildX87Module, EXACT, ROUTINES, usualCase } from '../../src/cpu/x87-unit/routines.js';
import { trustworthy } from '../../src/cpu/x87-unit/usual.js';
import type { X87Circular, X87RoutineName } from '../../src/isa/x87-stack.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { STATE, X87_EXCHANGE } from '../../src/memory/layout.js';
import { Code, I32, I64 } from '../../src/wasm/code.js';
import { ModuleBuilder } from '../../src/wasm/module.js';
import { RoutineBuilder } from '../../src/wasm/routine.js';
import { RandomNumbers } from '../jit/random-numbers.js';

const CASES = process.env['LGUEST_ALL_VECTORS'] ? 1_000_000 : 6000;
const TOP = 1n << 63n;

/** Has operands of its own: `x87-transcendental.test.ts`. */
type Transcendental = X87Circular | 'arctangent' | 'logarithm' | 'logarithmPlusOne' | 'exponentialMinusOne';

/** The exact operation of each routine. */
const OPERATIONS: Readonly<Record<Exclude<X87RoutineName, 'examine' | Transcendental>, number>> = {
  add: EXACT.add,
  sub: EXACT.sub,
  mul: EXACT.mul,
  div: EXACT.div,
  sqrt: EXACT.sqrt,
  round: EXACT.round,
  scale: EXACT.scale,
  remainder: EXACT.remainder,
  remainderNearest: EXACT.remainderNearest,
  toSingle: EXACT.toSingle,
  toDouble: EXACT.toDouble,
  toInteger16: EXACT.toInteger,
  toInteger32: EXACT.toInteger + 1,
  toInteger64: EXACT.toInteger + 2,
  truncate16: EXACT.truncate,
  truncate32: EXACT.truncate + 1,
  truncate64: EXACT.truncate + 2,
  compare: EXACT.compare,
  compareQuietly: EXACT.compareQuietly,
};

class Values {
  private last: readonly [bigint, number] = [TOP, 0x3fff];
  constructor(private readonly random: RandomNumbers) {}

  private long(): bigint {
    return (BigInt(this.random.next() >>> 0) << 32n) | BigInt(this.random.next() >>> 0);
  }
  private significand(): bigint {
    const { random } = this;
    const run = BigInt(random.below(64));
    return random.pick([
      this.long(),
      this.long() & (-1n << run),
      this.long() & (-1n << 11n),
      this.long() & (-1n << 40n),
      (1n << run) - 1n,
      -1n << run,
      1n << run,
      (this.long() & (-1n << 12n)) | (0x7ffn + BigInt(random.below(3))),
      0n,
      1n,
    ]);
  }
  /** Significand, sign and exponent: mostly normal numbers, often with much in common with the one before. */
  next(): readonly [bigint, number] {
    const { random, last } = this;
    const near = (last[1] & 0x7fff) + random.below(135) - 67;
    const centre = random.pick([0x3fff, 0x3fff, 0x3fff + 63, 0x3fff - 1023, 0x3fff + 1023, 0x3fff - 127, 0x3fff + 127]);
    const exponent = random.pick([
      near,
      near,
      last[1] & 0x7fff,
      centre + random.below(7) - 3,
      centre + random.below(70) - 35,
      random.below(0x8000),
      random.pick([0, 0, 1, 2, 0x7ffe, 0x7fff]),
    ]);
    const sign = random.below(2) << 15;
    const kind = random.below(10);
    if (kind === 0) this.last = [0n, sign];
    else if (kind === 1) this.last = [last[0], last[1] ^ sign];
    else {
      const m = this.significand();
      this.last = [BigInt.asUintN(64, random.chance(92) ? m | TOP : m), (Math.max(0, exponent) & 0x7fff) | sign];
    }
    return this.last;
  }
}

const memory = new GuestMemory(0x1000);
const exactly = createExactly(memory);
const pages = memory.memory.buffer.byteLength / 0x1_0000;
const module = new WebAssembly.Module(buildX87Module(pages));

for (const [name, operation] of Object.entries(OPERATIONS)) {
  test(`x87 routine ${name}`, () => {
    let exact = 0;
    const { exports } = new WebAssembly.Instance(module, {
      env: {
        memory: memory.memory,
        exactly: (number: number) => {
          exact++;
          return exactly(number);
        },
      },
    });
    const routine = exports[name] as (...operands: (bigint | number)[]) => unknown;
    const random = new RandomNumbers(operation + 1);
    const values = new Values(random);
    const { view } = memory;
    for (let n = 0; n < CASES; n++) {
      const control = 0x7f | (random.chance(50) ? 0x300 : random.below(16) << 8);
      view.setUint32(STATE.fpuControl, control, true);
      const [a, b] = [values.next(), values.next()];
      [a, b].forEach(([m, e], i) => {
        const at = i === 0 ? X87_EXCHANGE.a : X87_EXCHANGE.b;
        view.setBigUint64(at, m, true);
        view.setUint32(at + 8, e, true);
      });
      const flags = exactly(operation);
      const bits = view.getBigUint64(X87_EXCHANGE.result, true);
      const operands = ROUTINES[name as X87RoutineName].parameters.length === 2 ? a : [...a, ...b];
      const found = routine(...operands);
      const results = (Array.isArray(found) ? found : [0n, found]) as [bigint, number];
      const text = `${n}: control ${control.toString(16)}, ${[a, b].map(([m, e]) => `${e.toString(16)}:${m.toString(16)}`).join(' ')}`;
      const answer = `${BigInt.asUintN(64, results[0]).toString(16)} ${(results[1] >>> 0).toString(16)}`;
      assert.equal(answer, `${bits.toString(16)} ${(flags >>> 0).toString(16)}`, text);
    }
    if (process.env['LGUEST_ALL_VECTORS']) console.log(name, exact / CASES);
    assert.ok(exact < CASES * 0.8, `${exact} of ${CASES} were left to src/fpu`);
  });
}

/** Results of the usual case, which is what regions compute in place, and behind them whether it was one. */
function buildUsualCase(name: X87RoutineName): WebAssembly.Module {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', pages);
  const { parameters } = ROUTINES[name];
  const code = new Code();
  const r = new RoutineBuilder(code, parameters);
  const types = name.startsWith('compare') ? [I32] : name === 'toDouble' ? [I64, I32] : [I64, I32, I32];
  const results = types.map((type) => r.variable(type));
  const usual = r.variable(I32);
  // As `X87Registers` has it, but for PE.
  let trust = r.select(r.eq(r.and(r.load(I32, STATE.fpuControl), 0xf00), 0x300), -1n, 0n);
  for (let n = 0; n < parameters.length; n += 2)
    trust = r.and(trust, trustworthy(r, r.parameters[n]!, r.parameters[n + 1]!));
  r.attempt(
    (demand) => {
      for (const [n, result] of usualCase(name, r.parameters, trust)!(r, demand).entries())
        r.assign(results[n]!, result);
      r.assign(usual, 1);
    },
    () => {},
  );
  for (const result of [...results, usual]) r.push(result);
  const index = module.addFunction(parameters, [...types, I32], r.localRuns(), code.bytes());
  module.exportFunction(name, index);
  return new WebAssembly.Module(module.build());
}

for (const name of ['add', 'sub', 'mul', 'toDouble', 'compare'] as const) {
  test(`usual cases of x87 routine ${name}`, () => {
    const { exports } = new WebAssembly.Instance(buildUsualCase(name), { env: { memory: memory.memory } });
    const compute = exports[name] as (...operands: (bigint | number)[]) => (bigint | number)[];
    const random = new RandomNumbers(OPERATIONS[name] + 100);
    const values = new Values(random);
    const { view } = memory;
    let count = 0;
    for (let n = 0; n < CASES; n++) {
      view.setUint32(STATE.fpuControl, 0x7f | (random.chance(80) ? 0x300 : random.below(16) << 8), true);
      const [a, b] = [values.next(), values.next()];
      const found = compute(...(name === 'toDouble' ? a : [...a, ...b]));
      if (found[found.length - 1] === 0) continue;
      count++;
      [a, b].forEach(([m, e], i) => {
        const at = i === 0 ? X87_EXCHANGE.a : X87_EXCHANGE.b;
        view.setBigUint64(at, m, true);
        view.setUint32(at + 8, e, true);
      });
      const word = exactly(OPERATIONS[name]);
      const bits = BigInt.asIntN(64, view.getBigUint64(X87_EXCHANGE.result, true));
      // PE is set in any case.
      const flags = (word >>> 16) & ~0x20;
      const expected =
        name === 'compare' ? [flags] : name === 'toDouble' ? [bits, flags] : [bits, word & 0xffff, flags];
      const text = [a, b].map(([m, e]) => `${e.toString(16)}:${m.toString(16)}`).join(' ');
      assert.deepEqual(found.slice(0, -1), expected, text);
    }
    assert.ok(count > CASES / 5, `${count} of ${CASES} are usual`);
  });
}
