import test from 'node:test';
import { UNTIL_EQUAL } from '../../src/cpu/interpreter/string-runs.js';
import { FLAG } from '../../src/cpu/state.js';
import {
  assertSame,
  CODE_AT,
  DATA,
  type Mapping,
  MEMORY_BYTES,
  type Outcome,
  PagedMachine,
  PAGES,
  randomMappings,
  splitPages,
} from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Repeated CMPS and SCAS, against a model that does one element after the other. */

interface Case {
  readonly two: boolean;
  readonly size: number;
  readonly down: boolean;
  readonly untilEqual: boolean;
  readonly count: number;
  readonly from: number;
  readonly to: number;
  readonly value: number;
  readonly flags: number;
  readonly mappings: readonly Mapping[];
}

const ARITHMETIC = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF;

function pickCount(random: RandomNumbers): number {
  if (random.chance(8)) return 0;
  if (random.chance(20)) return random.chance(50) ? 0xffff_ffff : random.next() >>> 0;
  return random.chance(10) ? 4000 + random.below(200) : random.below(2500);
}

function randomCase(random: RandomNumbers): Case {
  const size = 1 << random.below(3);
  const within = (): number => DATA + random.below(PAGES * 4096);
  const align = (address: number): number => (random.chance(70) ? address & -size : address);
  return {
    two: random.chance(50),
    size,
    down: random.chance(30),
    untilEqual: random.chance(50),
    count: pickCount(random),
    from: align(within()),
    to: align(within()),
    value: random.chance(50) ? 0 : random.chance(50) ? 0x0101_0101 : random.next(),
    flags: (random.next() & ARITHMETIC) | 2,
    mappings: randomMappings(random),
  };
}

/** cmps or scas with a repeat prefix, then INT3. */
function encode({ two, size, untilEqual }: Case): number[] {
  const opcode = (two ? 0xa6 : 0xae) + (size === 1 ? 0 : 1);
  return [...(size === 2 ? [0x66] : []), untilEqual ? 0xf2 : 0xf3, opcode, 0xcc];
}

function subtract(x: number, y: number, size: number): number {
  const top = 2 ** (8 * size - 1);
  const result = (x - y) & (2 * top - 1);
  let ones = 0;
  for (let bits = result & 0xff; bits !== 0; bits &= bits - 1) ones++;
  const sign = (n: number): boolean => (n & top) !== 0;
  return (
    (x >>> 0 < y >>> 0 ? FLAG.CF : 0) |
    (ones % 2 === 0 ? FLAG.PF : 0) |
    ((x ^ y ^ result) & 0x10 ? FLAG.AF : 0) |
    (result === 0 ? FLAG.ZF : 0) |
    (sign(result) ? FLAG.SF : 0) |
    (sign(x) !== sign(y) && sign(result) !== sign(x) ? FLAG.OF : 0)
  );
}

function model(c: Case, memory: Uint8Array): Partial<Outcome> {
  let { from, to, count, flags } = c;
  const step = c.down ? -c.size : c.size;
  const locate = (linear: number): number => {
    const mapping = linear < DATA ? undefined : c.mappings[(linear - DATA) >>> 12];
    return mapping ? mapping.page * 4096 + (linear & 0xfff) : -1;
  };
  const missing = (linear: number): number => {
    if (locate(linear) < 0) return linear;
    const last = linear + c.size - 1;
    return locate(last) < 0 ? last & ~0xfff : -1;
  };
  const read = (linear: number): number => {
    let value = 0;
    for (let i = c.size - 1; i >= 0; i--) value = (value << 8) | memory[locate(linear + i)]!;
    return value >>> 0;
  };
  let fault = -1;
  let turns = 0;
  while (count > 0) {
    fault = c.two ? missing(from) : -1;
    if (fault < 0) fault = missing(to);
    if (fault >= 0) break;
    const x = c.two ? read(from) : (c.value & (c.size === 4 ? -1 : 2 ** (8 * c.size) - 1)) >>> 0;
    flags = subtract(x, read(to), c.size) | 2;
    if (c.two) from += step;
    to += step;
    count--;
    if (((flags & FLAG.ZF) !== 0) === c.untilEqual) break;
    if (count > 0 && count % 4096 === 0) turns++;
  }
  const registers = [c.value >>> 0, count, 0, 0, 0x3000, 0, from, to];
  return {
    memory: splitPages(memory),
    registers,
    fault,
    retired: turns + (fault < 0 ? 2 : 0),
    eflags: flags | (c.down ? FLAG.DF : 0),
  };
}

test('repeated CMPS and SCAS do what one element after the other would', () => {
  const random = new RandomNumbers(UNTIL_EQUAL);
  const machines = [new PagedMachine(false), new PagedMachine(true)];
  // Mostly what goes on, rarely what ends it.
  const mostly = (usual: number): Uint8Array =>
    Uint8Array.from({ length: MEMORY_BYTES }, () => (random.chance(1) ? random.next() & 0xff : usual));
  const alike = mostly(0);
  const others = mostly(0x77);
  const different = Uint8Array.from({ length: MEMORY_BYTES }, (_, i) => i * 7 + (i >> 8));
  for (let n = 0; n < 100; n++) {
    const c = randomCase(random);
    const bytes = c.untilEqual ? (c.two ? different : others) : alike;
    bytes.set(encode(c), CODE_AT);
    const expected = model(c, bytes);
    const registers = [c.value, c.count, 0, 0, 0x3000, 0, c.from, c.to];
    const start = { mappings: c.mappings, bytes, registers, eflags: c.flags | (c.down ? FLAG.DF : 0) };
    for (const [i, machine] of machines.entries()) {
      // The second time the TLB is filled.
      for (const time of [1, 2]) {
        const message = JSON.stringify({ n, machine: i, time, ...c, mappings: 0 });
        assertSame(
          machine.run(start, () => 1000),
          expected,
          message,
        );
      }
    }
  }
});
