import assert from 'node:assert/strict';
import test from 'node:test';
import { assertSame, CODE_AT, DATA, MEMORY_BYTES, PagedMachine, PAGES, randomMappings } from './paged-machine.js';
import { RandomNumbers } from './random-numbers.js';

/** Loops of one block, interpreted and translated: across pages, into absent ones, by turns of any length. */

const INT3 = 0xcc;

/** An instruction of a loop's body with an 8-bit displacement or step. */
const BODY: readonly ((random: RandomNumbers) => number[])[] = [
  (r) => [0x8b, 0x46, byte(r)], // mov eax,[esi+n]
  (r) => [0x03, 0x46, byte(r)], // add eax,[esi+n]
  (r) => [0x13, 0x46, byte(r)], // adc eax,[esi+n]
  (r) => [0x89, 0x47, byte(r)], // mov [edi+n],eax
  (r) => [0x00, 0x47, byte(r)], // add [edi+n],al
  () => [0x8a, 0x04, 0x96], // mov al,[esi+edx*4]
  () => [0x88, 0x04, 0x17], // mov [edi+edx],al
  () => [0x0f, 0xb6, 0xe8, 0x03, 0x04, 0x2f], // movzx ebp,al; add eax,[edi+ebp]
  () => [0x0f, 0xb6, 0xe8, 0x00, 0x04, 0xae], // movzx ebp,al; add [esi+ebp*4],al
  () => [0x31, 0xd8], // xor eax,ebx
  () => [0x01, 0xc3], // add ebx,eax
  (r) => [0x66, 0x0f, 0x6f, 0x46, byte(r) & 0xf0], // movdqa xmm0,[esi+n]
  (r) => [0x66, 0x0f, 0x7f, 0x47, byte(r) & 0xf0], // movdqa [edi+n],xmm0
];

function byte(random: RandomNumbers): number {
  return random.below(64) & 0xff;
}

/** A step of a pointer, in bytes: mostly small, often a multiple of 16. */
function step(random: RandomNumbers): number {
  return random.pick([1, 2, 4, 4, 8, 16, 16, 32, 64, -1, -4, -16]) & 0xff;
}

/** An addition to ESI (register 6) or EDI (7). */
function advance(random: RandomNumbers, register: number): number[] {
  if (random.chance(15)) return [0x01, 0xd0 + register]; // add esi,edx
  if (random.chance(10)) return [0x81, 0xc0 + register, 0, 1 + random.below(3), 0, 0]; // add esi,n
  return [0x83, 0xc0 + register, step(random)];
}

function randomLoop(random: RandomNumbers): number[] {
  const code: number[] = [];
  for (let i = 1 + random.below(4); i > 0; i--) code.push(...random.pick(BODY)(random));
  // A loop that waits for a zero and does not move would never end.
  const untilZero = random.chance(25);
  if (untilZero) code.push(0x83, 0xc6, step(random));
  else if (random.chance(80)) code.push(...advance(random, 6));
  if (random.chance(80)) code.push(...advance(random, 7));
  if (random.chance(35)) code.push(random.pick([0x42, 0x4a])); // inc edx, dec edx
  // Until a byte is zero, or for ECX times.
  if (untilZero) code.push(0x80, 0x3e, 0x00);
  else code.push(0x49);
  const again = -(code.length + 2) & 0xff;
  code.push(random.pick([0x75, 0x75, 0x75, 0x79]), again); // jne, jns
  return [...code, INT3];
}

test('loops over pages do the same translated and interpreted', () => {
  const random = new RandomNumbers(11);
  const interpreter = new PagedMachine(false);
  const translator = new PagedMachine(true);
  const bytes = Uint8Array.from({ length: MEMORY_BYTES }, () => random.next() & 0xff);
  let iterations = 0;
  for (let n = 0; n < 400; n++) {
    const code = randomLoop(random);
    bytes.set(code, CODE_AT);
    const pointer = (): number => (DATA + random.below(PAGES * 4096)) & (random.chance(60) ? ~15 : ~0);
    const registers = [random.next(), 1 + random.below(2500), random.below(64), random.next()];
    registers.push(0x3000, 0, pointer(), pointer());
    const start = { mappings: randomMappings(random), bytes, registers: registers.map((r) => r >>> 0), eflags: 2 };
    const expected = interpreter.run(start, () => 1 << 16);
    for (const slice of [() => 1 << 16, () => 1 + random.below(3000)]) {
      const message = `${n}: ${Buffer.from(code).toString('hex')}`;
      assertSame(translator.run(start, slice), expected, message);
    }
    iterations += expected.retired;
  }
  assert.ok(iterations > 100_000, `${iterations} instructions`);
});
