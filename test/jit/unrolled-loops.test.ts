import assert from 'node:assert/strict';
import test from 'node:test';
import { orderBlocks } from '../../src/jit/analysis.js';
import { Block } from '../../src/jit/blocks.js';
import { constant } from '../../src/jit/node.js';
import { unrollLoops } from '../../src/jit/unrolling.js';
import { assertSame, CODE_AT, DATA, MEMORY_BYTES, PagedMachine, PAGES, randomMappings } from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Small loops of several blocks: across pages, into absent ones, by turns of any length. */

const INT3 = 0xcc;

/** An instruction of a loop's body. */
const BODY: readonly ((random: RandomNumbers) => number[])[] = [
  (r) => [0x02, 0x46, r.below(20)], // add al,[esi+n]
  (r) => [0x3a, 0x47, r.below(20)], // cmp al,[edi+n]
  (r) => [0x13, 0x46, r.below(20)], // adc eax,[esi+n]
  (r) => [0x88, 0x47, r.below(20)], // mov [edi+n],al
  (r) => [0x11, 0x47, r.below(20)], // adc [edi+n],eax
  () => [0x01, 0xc3], // add ebx,eax
  () => [0x83, 0xd3, 0x01], // adc ebx,1
  () => [0xd1, 0xc0], // rol eax,1
  () => [0x42], // inc edx
  (r) => [0x83, 0xc6, r.pick([1, 2, 4, 0xff])], // add esi,n
  (r) => [0x83, 0xc7, r.pick([1, 4, 8, 0xfc])], // add edi,n
];

/** Of conditional jumps: any but on parity. */
function randomJump(random: RandomNumbers): number {
  return 0x70 + random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15]);
}

/** A loop of ECX iterations: jumps over parts of it, and out of it to where `outside` is. */
function randomLoop(random: RandomNumbers): number[] {
  const parts = Array.from({ length: 2 + random.below(3) }, () =>
    Array.from({ length: 1 + random.below(2) }, () => random.pick(BODY)(random)).flat(),
  );
  let code: number[] = [];
  for (const part of parts.reverse()) {
    // dec ecx; jns back comes behind it all: 3 bytes.
    const out = code.length + 3;
    const over = random.below(3) === 0 && code.length > 0;
    const jump = over ? [randomJump(random), code.length] : random.chance(50) ? [randomJump(random), out] : [];
    code = [...part, ...jump, ...code];
  }
  code = [...code, 0x49, 0x79, -(code.length + 3) & 0xff];
  // Often within another one, of EBP iterations.
  const outer = [...(random.chance(50) ? [0xb9, 1 + random.below(12), 0, 0, 0] : []), ...code];
  return [...outer, 0x4d, 0x79, -(outer.length + 3) & 0xff, INT3];
}

test('loops of several blocks do the same translated and interpreted', () => {
  const random = new RandomNumbers(17);
  const interpreter = new PagedMachine(false);
  const translator = new PagedMachine(true);
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  let instructions = 0;
  let faults = 0;
  for (let n = 0; n < 300; n++) {
    const code = randomLoop(random);
    bytes.set(code, CODE_AT);
    const pointer = (): number => DATA + 4096 * (1 + random.below(PAGES - 1)) - random.below(200);
    const registers = [random.next(), random.below(40), random.next(), 0, 0x3000, random.below(12)];
    registers.push(pointer(), pointer());
    const start = { mappings: randomMappings(random), bytes, registers: registers.map((r) => r >>> 0), eflags: 2 };
    const expected = interpreter.run(start, () => 1 << 14);
    for (const slice of [() => 1 << 14, () => 1 + random.below(60)]) {
      const message = `${n}: ${Buffer.from(code).toString('hex')}`;
      assertSame(translator.run(start, slice), expected, message);
    }
    instructions += expected.retired;
    if (expected.vector === 14) faults++;
  }
  assert.ok(instructions > 20_000, `${instructions} instructions`);
  assert.ok(faults > 20 && faults < 280, `${faults} faults`);
});

/** A block of as many instructions, whose edges lead to the blocks of `to` when it has been linked. */
function createBlock(eip: number, instructions = 5): Block {
  const block = new Block(eip);
  block.instructions = instructions;
  return block;
}

function link(block: Block, ...to: Block[]): void {
  const [first, second] = to.map((target) => ({ block: target, eip: constant(target.eip), returns: false }));
  block.terminator = second
    ? { kind: 'branch', condition: constant(1), taken: first!, otherwise: second }
    : { kind: 'jump', edge: first ?? { block: undefined, eip: constant(0), returns: true } };
}

/** Entry → header ⇄ body, and out of both; more blocks of no instructions lie between the two. */
function createLoop(instructions: number, more = 0): { entry: Block; header: Block } {
  const [entry, header, out] = [1, 2, 4].map((eip) => createBlock(eip));
  const body = createBlock(3, instructions - 5);
  link(entry!, header!);
  let first = body;
  for (let i = 0; i < more; i++) {
    const between = createBlock(5 + i, 0);
    link(between, first);
    first = between;
  }
  link(header!, out!, first);
  link(body, header!, out!);
  link(out!);
  return { entry: entry!, header: header! };
}

function copyOf(block: Block): Block {
  const copy = createBlock(block.eip, block.instructions);
  link(copy, ...block.edges().map((edge) => edge.block!));
  return copy;
}

test('a small loop gets copies, of which the last leads back', () => {
  const { entry, header } = createLoop(10);
  unrollLoops(orderBlocks(entry), copyOf);
  const blocks = orderBlocks(entry);
  assert.equal(blocks.filter(({ eip }) => eip === 2).length, 4);
  assert.equal(blocks.filter(({ eip }) => eip === 3).length, 4);
  assert.equal(blocks.filter(({ eip }) => eip === 4).length, 1);
  const back = blocks.flatMap((block) => block.edges().filter((edge) => edge.block && edge.block.order <= block.order));
  assert.deepEqual(
    back.map((edge) => edge.block),
    [header],
  );
});

test('a large loop, and one whose blocks are many or cannot be copied, are left as they are', () => {
  for (const [instructions, more, copy] of [
    [40, 0, copyOf],
    [10, 2, copyOf],
    [10, 0, () => undefined],
  ] as const) {
    const { entry } = createLoop(instructions, more);
    unrollLoops(orderBlocks(entry), copy);
    assert.equal(orderBlocks(entry).length, 4 + more);
  }
});
