import assert from 'node:assert/strict';
import test from 'node:test';
import { Processor } from '../../src/cpu/processor.js';
import { CR4 } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { AT_ONCE, attachTranslator } from '../jit/attach.js';
import { RandomNumbers } from '../jit/random-numbers.js';
import { PagedBoard } from './paged-board.js';

/** A page with functions and data, written to by its guest. */

const PAGES = 64;
const [CODE, STACK_TOP, DIRECTORY, TABLE, PAGE] = [0x5000, 0x9000, 0x6000, 0x7000, 0x2_0000];
/** Where the same page may be read and written, too, and where it may only be read. */
const [ALIAS, READ_ONLY] = [0x3_0000, 0x3_1000];
/** `mov eax, number; ret` */
const FUNCTION_BYTES = 6;

/** Writes to [EBX], then a call of [EDX]. */
const WRITES: readonly { readonly bytes: number; readonly code: readonly number[] }[] = [
  { bytes: 1, code: [0x88, 0x03] },
  { bytes: 2, code: [0x66, 0x89, 0x03] },
  { bytes: 4, code: [0x89, 0x03] },
  // and dword [ebx], 0; or [ebx], eax
  { bytes: 4, code: [0x83, 0x23, 0, 0x09, 0x03] },
  // movq [ebx], xmm0
  { bytes: 8, code: [0x66, 0x0f, 0xd6, 0x03] },
  // movups [ebx], xmm0
  { bytes: 16, code: [0x0f, 0x11, 0x03] },
];
const WRITE_STRIDE = 16;

class Scene {
  readonly memory = new GuestMemory(PAGES * 4096);
  readonly cpu = new Processor(this.memory, new PagedBoard(this.memory, DIRECTORY));
  /** Writes that were TypeScript's. */
  slowWrites = 0;

  constructor(ring: number, translated: boolean) {
    const { memory, cpu } = this;
    const { state, access } = cpu;
    memory.write32(DIRECTORY, TABLE | 7);
    for (let page = 0; page < PAGES; page++) memory.write32(TABLE + 4 * page, (page << 12) | 7);
    memory.write32(TABLE + (ALIAS >>> 10), PAGE | 7);
    memory.write32(TABLE + (READ_ONLY >>> 10), PAGE | 5);
    for (const [n, { code }] of WRITES.entries())
      memory.writeBytes(CODE + n * WRITE_STRIDE, Uint8Array.from([...code, 0xff, 0xd2, 0xcc]));
    const flat = (selector: number, access: number) => ({ selector, base: 0, limit: 0xffff_ffff, access });
    const user = ring === 3;
    for (const index of [ES, SS, DS, FS, GS])
      state.setSegment(index, user ? flat(0x23, 0xc0_f300) : flat(0x10, 0xc0_9300));
    state.setSegment(CS, user ? flat(0x1b, 0xc0_fb00) : flat(8, 0xc0_9b00));
    state.set(STATE.cr0, 0x8001_0001);
    state.set(STATE.cr4, CR4.OSFXSR);
    state.cpl = ring;
    cpu.segmentsChanged();
    cpu.fpuStateChanged();
    cpu.flushTlb();
    if (translated) attachTranslator(cpu, AT_ONCE);
    const write = access.write.bind(access);
    access.write = (...operands) => {
      this.slowWrites++;
      write(...operands);
    };
  }

  placeFunction(at: number, result: number): void {
    this.memory.writeBytes(at, Uint8Array.of(0xb8, 0, 0, 0, 0, 0xc3));
    this.memory.write32(at + 1, result >>> 0);
  }

  /** Writes `value` by `WRITES[number]`, and calls the function; the vector that ended it and what was returned. */
  run(number: number, to: number, value: Uint8Array, called: number): { vector: number; result: number } {
    const { memory, cpu } = this;
    const { state, exit } = cpu;
    memory.u8.set(value, STATE.xmm);
    const word = new Uint8Array(4);
    word.set(value.subarray(0, 4));
    state.registers[0] = new DataView(word.buffer).getInt32(0, true);
    state.registers[2] = called;
    state.registers[3] = to;
    state.registers[4] = STACK_TOP;
    state.eip = CODE + number * WRITE_STRIDE;
    cpu.run(100);
    return { vector: exit.vector, result: state.registers[0]! >>> 0 };
  }
}

for (const translated of [false, true])
  for (const ring of [0, 3])
    test(`what is called is what was written last, in ring ${ring}${translated ? ', translated' : ''}`, () => {
      const random = new RandomNumbers(ring + 1);
      const scene = new Scene(ring, translated);
      const { memory } = scene;
      const functions: number[] = [];
      for (let offset = random.below(20); offset + FUNCTION_BYTES < 4096; offset += FUNCTION_BYTES + random.below(120))
        functions.push(offset);
      for (const [n, offset] of functions.entries()) scene.placeFunction(PAGE + offset, n);
      const isOpcode = (offset: number): boolean => functions.some((at) => at === offset || at + 5 === offset);
      for (let n = 0; n < 4000; n++) {
        const number = random.below(WRITES.length);
        const { bytes } = WRITES[number]!;
        const called = random.pick(functions);
        const near = called - bytes - 2 + random.below(FUNCTION_BYTES + bytes + 4);
        const to = Math.min(Math.max(random.chance(50) ? near : random.below(4096), 0), 4096 - bytes);
        const value = Uint8Array.from({ length: bytes }, (_, i) =>
          isOpcode(to + i) ? memory.read8(PAGE + to + i) : random.below(256),
        );
        const expected = memory.bytes(PAGE, 4096).slice();
        expected.set(value, to);
        const [written, read] = [random.chance(80) ? PAGE : ALIAS, random.chance(80) ? PAGE : ALIAS];
        const { vector, result } = scene.run(number, written + to, value, read + called);
        const message = `${n}: ${bytes} bytes at ${to.toString(16)}, call of ${called.toString(16)}`;
        assert.equal(vector, 3, message);
        assert.ok(Buffer.from(memory.bytes(PAGE, 4096)).equals(expected), message);
        assert.equal(result, new DataView(expected.buffer).getUint32(called + 1, true), message);
        if (random.chance(2)) scene.cpu.flushTlb();
        if (random.chance(1)) scene.cpu.load(scene.cpu.save());
      }
    });

test('only what may be code is TypeScript to write', () => {
  const scene = new Scene(3, false);
  // The second is in two pieces.
  const functions = [PAGE + 0x100, PAGE + 0x23d];
  for (const at of functions) scene.placeFunction(at, 7);
  const value = new Uint8Array(16);
  for (const at of functions) scene.run(2, PAGE + 0x800, value, at);
  scene.slowWrites = 0;
  for (const [number, { bytes }] of WRITES.entries())
    for (const to of [0, 0x100 - bytes, 0x140, 0x200 - bytes, 0x280, 0x1000 - bytes])
      assert.equal(scene.run(number, PAGE + to, value, functions[0]!).vector, 3);
  assert.equal(scene.slowWrites, 0);
  for (const to of [0x100 - 3, 0x13f, 0x200 - 3, 0x27f]) scene.run(2, PAGE + to, value, functions[0]!);
  assert.equal(scene.slowWrites, 4);
});

test('a page that may only be read is not written beside its code', () => {
  for (const ring of [0, 3]) {
    const scene = new Scene(ring, false);
    scene.placeFunction(PAGE + 0x100, 7);
    const ones = new Uint8Array(16).fill(0xff);
    assert.deepEqual(scene.run(2, PAGE + 0x800, ones, PAGE + 0x100), { vector: 3, result: 7 });
    scene.memory.write32(PAGE + 0x800, 0);
    for (let i = 0; i < 2; i++) assert.equal(scene.run(2, READ_ONLY + 0x800, ones, READ_ONLY + 0x100).vector, 14);
    assert.equal(scene.memory.read32(PAGE + 0x800), 0);
  }
});
