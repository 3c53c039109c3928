import assert from 'node:assert/strict';
import test from 'node:test';
import { LARGEST_SPAN } from '../../src/jit/steps.js';
import { Block } from '../../src/jit/blocks.js';
import { linearForm } from '../../src/jit/linear-form.js';
import * as n from '../../src/jit/node.js';
import { type AccessGroup, VARIABLES } from '../../src/jit/steps.js';
import { paceStores } from '../../src/jit/store-pacing.js';
import { OP } from '../../src/wasm/code.js';
import { assertSame, CODE_AT, DATA, MEMORY_BYTES, PagedMachine, PAGES, randomMappings } from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Loops whose stores go down a column, a page at a time. */

const INT3 = 0xcc;

/** A store to [edi+n], or behind EDI. */
const STORES: readonly ((n: number) => number[])[] = [
  (n) => [0x88, 0x47, n], // mov [edi+n],al
  (n) => [0x66, 0x89, 0x47, n], // mov [edi+n],ax
  (n) => [0x01, 0x47, n], // add [edi+n],eax
  (n) => [0xfe, 0x47, n], // inc byte [edi+n]
  (n) => [0x66, 0x0f, 0xd6, 0x47, n], // movq [edi+n],xmm0
  (n) => [0x0f, 0x11, 0x47, n], // movups [edi+n],xmm0
  (n) => [0x89, 0x44, 0x9f, n], // mov [edi+4*ebx+n],eax
];

function columnLoop(random: RandomNumbers): number[] {
  const load = random.pick([[], [0x33, 0x07], [0x33, 0x06], [0x66, 0x0f, 0xfe, 0xc1]]); // xor eax,[edi]; …,[esi]; paddd
  const more = random.pick([
    [0, 0x10],
    [0, 0x20],
    [0, 0xf0, 0xff, 0xff],
    [4, 0x10],
  ]);
  const step = [...more, ...(more.length === 2 ? [0, 0] : [])];
  const body = [
    ...load,
    ...random.pick(STORES)(random.below(20)),
    ...[0x81, random.pick([0xc7, 0xc7, 0xc6]), ...step], // add edi,n or esi,n
    ...(random.chance(30) ? [0x40] : []), // inc eax
  ];
  const loop = [...body, 0x49, 0x75, -(body.length + 3) & 0xff]; // dec ecx; jne
  return [...loop, INT3];
}

test('loops that store a page further each time do the same translated and interpreted', () => {
  const random = new RandomNumbers(23);
  const interpreter = new PagedMachine(false);
  const translator = new PagedMachine(true);
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  let instructions = 0;
  for (let i = 0; i < 120; i++) {
    const code = columnLoop(random);
    bytes.set(code, CODE_AT);
    const pointer = (): number => DATA + 4096 * random.pick([0, 1, PAGES - 1]) + random.below(4096);
    const registers = [random.next(), 1 + random.below(40), 0, random.below(100), 0x3000, 0, pointer(), pointer()];
    const all = Array.from({ length: PAGES }, (_, page) => ({ page: 4 + page, writable: true }));
    const mappings = random.chance(50) ? all : randomMappings(random);
    const start = { mappings, bytes, registers: registers.map((r) => r >>> 0), eflags: 2 };
    const expected = interpreter.run(start, () => 1 << 14);
    for (const slice of [() => 1 << 14, () => 1 + random.below(60)])
      assertSame(translator.run(start, slice), expected, `${i}: ${Buffer.from(code).toString('hex')}`);
    instructions += expected.retired;
  }
  assert.ok(instructions > 2000, `${instructions} instructions`);
});

/** A block that stores at variable 0, which it moves by as many bytes. */
function storingBlock(stride: number): Block {
  const block = new Block(0);
  block.entries = Array.from({ length: VARIABLES }, (_, v) => n.entry(v));
  const root = block.entries[0]!;
  const group: AccessGroup = {
    ...{ root, form: linearForm(root), least: 0, span: 4, write: true },
    ...{ host: -1, hostBias: 0, shared: false, sharedWith: undefined, sharedOffset: 0 },
    hostNumber: -1,
  };
  block.steps = [{ kind: 'store', group, offset: 0, size: 32, value: block.entries[1]! }];
  block.variables = block.entries.map((node, v) => (v === 0 ? n.binary(OP.i32_add, node, n.constant(stride)) : node));
  return block;
}

test('what moves by whole pages waits for its stores, all else does not', () => {
  for (const [stride, paced] of [
    [4096, true],
    [-8192, true],
    [0, false],
    [LARGEST_SPAN, false],
    [4096 + 64, false],
  ] as const) {
    const block = storingBlock(stride);
    const { variables } = block;
    paceStores(block);
    assert.equal(block.steps.at(-1)!.kind === 'stored', paced, `stride ${stride}`);
    assert.equal(block.variables[0] !== variables[0], paced, `stride ${stride}`);
    assert.deepEqual(block.variables.slice(1), variables.slice(1));
  }
});
