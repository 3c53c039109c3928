import assert from 'node:assert/strict';
import test from 'node:test';
import { assertSame, CODE_AT, DATA, MEMORY_BYTES, PagedMachine, PAGES, randomMappings } from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Accesses with the same base in several blocks, near the ends of pages that may be absent or read-only. */

const INT3 = 0xcc;
const PUSH_EAX = 0x50;
const POP_EBX = 0x5b;

function displacement(random: RandomNumbers): number {
  return random.below(72) & 0xfc;
}

/** An access to [esi+n], [edi+n] or [esp+n], a change of one of them, or of EAX. */
const INSTRUCTIONS: readonly ((random: RandomNumbers) => number[])[] = [
  (r) => [0x03, 0x46, displacement(r)], // add eax,[esi+n]
  (r) => [0x03, 0x47, displacement(r)], // add eax,[edi+n]
  (r) => [0x03, 0x44, 0x24, displacement(r)], // add eax,[esp+n]
  (r) => [0x89, 0x46, displacement(r)], // mov [esi+n],eax
  (r) => [0x89, 0x47, displacement(r)], // mov [edi+n],eax
  (r) => [0x01, 0x44, 0x24, displacement(r)], // add [esp+n],eax
  (r) => [0x03, 0x44, 0x8e, displacement(r)], // add eax,[esi+ecx*4+n]
  (r) => [0x03, 0x44, 0x8e, displacement(r)],
  (r) => [0x89, 0x44, 0x8f, displacement(r)], // mov [edi+ecx*4+n],eax
  (r) => [0x02, 0x44, 0x0e, displacement(r)], // add al,[esi+ecx+n]
  (r) => [0x8d, 0x54, 0x8e, displacement(r), 0x03, 0x02], // lea edx,[esi+ecx*4+n]; add eax,[edx]
  (r) => [0x8d, 0x51, r.below(4), 0x01, 0x04, 0x97], // lea edx,[ecx+n]; add [edi+edx*4],eax
  () => [PUSH_EAX, POP_EBX],
  (r) => [0x83, 0xc6, r.below(9) & 0xfc], // add esi,n
  () => [0x83, 0xc1, 0xff], // add ecx,-1
  (r) => [0x8d, 0x7e, displacement(r)], // lea edi,[esi+n]
  (r) => [0xa1, ...littleEndian(DATA + 4096 * r.below(PAGES) + displacement(r))], // mov eax,[n]
  (r) => [0x03, 0x05, ...littleEndian(constantAddress(r))], // add eax,[n]
  (r) => [0x89, 0x05, ...littleEndian(constantAddress(r))], // mov [n],eax
  (r) => [0x8a, 0x25, ...littleEndian(constantAddress(r))], // mov ah,[n]
  () => [0x0f, 0xb6, 0xd0], // movzx edx,al
  () => [0x0f, 0xb6, 0xc4], // movzx eax,ah
  () => [0xd1, 0xc0], // rol eax,1
  () => [0x40], // inc eax
];

/** Anywhere on a few pages, or across their borders. */
function constantAddress(random: RandomNumbers): number {
  const page = DATA + 4096 * (1 + random.below(3));
  return random.chance(80) ? page + 4 * random.below(1024) : page - 1 - random.below(4);
}

function littleEndian(number: number): number[] {
  return [0, 8, 16, 24].map((shift) => (number >>> shift) & 0xff);
}

/** Blocks that jump ahead over others, in a loop of ECX iterations. */
function randomProgram(random: RandomNumbers): number[] {
  let code: number[] = [];
  const put = (): void => {
    for (let i = 1 + random.below(3); i > 0; i--) code.push(...random.pick(INSTRUCTIONS)(random));
  };
  put();
  for (let i = 2 + random.below(4); i > 0; i--) {
    const before = code;
    code = [];
    put();
    if (random.chance(30)) {
      code.push(0x7a, 3, ...random.pick(INSTRUCTIONS.slice(0, 2))(random)); // jp over the next one
      put();
    }
    const jump = random.pick([0x74, 0x75, 0x72, 0x78]); // je, jne, jb, js
    code = [...before, 0xa8, 1 + random.below(255), jump, code.length, ...code]; // test al,n
  }
  if (random.chance(70)) code.push(0x49, 0x0f, 0x89, ...littleEndian(-(code.length + 7))); // dec ecx; jns
  return [...code, INT3];
}

test('blocks that rely on the checks of others do the same translated and interpreted', () => {
  const random = new RandomNumbers(5);
  const interpreter = new PagedMachine(false);
  const translator = new PagedMachine(true);
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  let instructions = 0;
  let faults = 0;
  for (let n = 0; n < 200; n++) {
    const code = randomProgram(random);
    bytes.set(code, CODE_AT);
    const pointer = (): number => (DATA + 4096 * (1 + random.below(PAGES - 1)) - random.below(160)) & ~3;
    const registers = [random.next(), random.below(40), random.next(), 0, pointer(), 0, pointer(), pointer()];
    const start = { mappings: randomMappings(random), bytes, registers: registers.map((r) => r >>> 0), eflags: 2 };
    const expected = interpreter.run(start, () => 1 << 16);
    for (const slice of [() => 1 << 16, () => 1 + random.below(60)]) {
      const message = `${n}: ${Buffer.from(code).toString('hex')}`;
      assertSame(translator.run(start, slice), expected, message);
    }
    instructions += expected.retired;
    if (expected.vector === 14) faults++;
  }
  assert.ok(instructions > 8000, `${instructions} instructions`);
  assert.ok(faults > 10 && faults < 180, `${faults} faults`);
});
