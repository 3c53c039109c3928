import assert from 'node:assert/strict';
import test from 'node:test';
import { Decoder } from '../../src/cpu/decoder.js';
import type { TranslatorHost } from '../../src/cpu/translator.js';
import { HUB, RequestWriter, readRequest } from '../../src/jit/requests.js';
import { Scanner } from '../../src/jit/scanner.js';
import { TRANSLATED_MODE } from '../../src/cpu/translator.js';
import { RegionTranslator, DEFAULT_OPTIONS } from '../../src/jit/index.js';
import { createMachine } from '../cpu/machine-code.js';

const AT = 0x1000;
// biome-ignore format: a column each for address, bytes, instruction
const CODE = [
  /* 1000 */ 0x65, 0x67, 0x8b, 0x40, 0xfe,                          // mov eax, gs:[bx+si−2]
  /* 1005 */ 0x66, 0xc7, 0x84, 0x8b, 0x78, 0x56, 0x34, 0x92, 1, 0x80, // mov word [ebx+ecx*4−0x6dcba988], 0x8001
  /* 100f */ 0xe8, 0x0c, 0x00, 0x00, 0x00,                          // call 1020
  /* 1014 */ 0x75, 0xea,                                            // jnz 1000
  /* 1016 */ 0xff, 0xe0,                                            // jmp eax
  ...new Array<number>(8).fill(0x90),
  /* 1020 */ 0xf3, 0xaa,                                            // rep stosb
  /* 1022 */ 0xe9, 0xd9, 0x0f, 0x00, 0x00,                          // jmp 2000
];

/** What a translator sees of a machine that is about to run `CODE`. */
function hostOf(code: readonly number[]): TranslatorHost {
  const cpu = createMachine(code, { at: AT });
  let host: TranslatorHost | undefined;
  cpu.attachTranslator((given) => {
    host = given;
    return new RegionTranslator(given, DEFAULT_OPTIONS);
  });
  cpu.access.read(AT, 1);
  return host!;
}

const traits = { narrow: false, anyNumbers: true };
const allocator = { slotOf: (linear: number) => linear - 0xf00, profileOf: (jump: number) => jump + 1 };

test('a request tells all that has been found', () => {
  const host = hostOf(CODE);
  const writer = new RequestWriter(new Scanner(host));
  const requested = writer.add(
    AT,
    false,
    { narrow: true, anyNumbers: false },
    { instructions: 100, onlyWhatRan: false },
    allocator,
  )!;
  assert.deepEqual(requested.entries, [AT]);
  assert.deepEqual([...requested.code.pages], [[1, AT]]);
  assert.equal(writer.add(0x7000_0000, true, traits, { instructions: 100, onlyWhatRan: false }, allocator), undefined);
  assert.equal(writer.regions, 1);
  const [region, ...others] = [...readRequest(writer.take(), host.forms.list)];
  assert.equal(others.length, 0);
  const { slot, user, narrow, anyNumbers, room, code, callees, slots, profiles } = region!;
  assert.deepEqual(
    { slot, user, narrow, anyNumbers, room },
    { slot: 0x100, user: false, narrow: true, anyNumbers: false, room: 50 },
  );
  assert.deepEqual([...code.instructions.keys()], [0x1000, 0x1005, 0x100f, 0x1014, 0x1016]);
  assert.deepEqual([...code.leaders].sort(), [0x1000, 0x1014, 0x1016]);
  assert.deepEqual([...code.references].sort(), [0x1000, 0x1016]);
  assert.deepEqual([...code.tables], [[0x1016, []]]);
  assert.deepEqual([...callees.keys()], [0x1020]);
  assert.deepEqual([...callees.get(0x1020)!.leaders], [0x1020, 0x1022, 0x2000]);
  // The jump out of the small function may become a call.
  assert.deepEqual(
    [...slots],
    [
      [0x1000, 0x100],
      [0x1020, 0x120],
      [0x2000, 0x1100],
    ],
  );
  assert.deepEqual([...profiles], [[0x1016, 0x1017]]);

  const decoder = new Decoder(host.forms);
  for (const { instructions } of [code, ...callees.values()]) {
    for (const [eip, { handler, ...found }] of instructions) {
      decoder.decode(Uint8Array.from(CODE), eip - AT, CODE.length, TRANSLATED_MODE);
      const { form, ...decoded } = decoder.decoded;
      assert.deepEqual({ ...found }, { eip, ...decoded });
      assert.equal(handler, host.forms.list[form]);
    }
  }
  assert.deepEqual([...readRequest(writer.take(), host.forms.list)], [], 'nothing is left for the next one');
});

test('a request tells where a hub leads', () => {
  // jmp eax, and two places to which it goes.
  const host = hostOf([0xff, 0xe0, 0x40, 0xff, 0xe0, 0x41, 0xff, 0xe0]);
  const ran = { ...host, hasRun: () => true };
  const writer = new RequestWriter(new Scanner(ran));
  const hub = { entries: [0x1002], targets: () => [0x1005, 0x1002] };
  const limits = { instructions: 100, onlyWhatRan: true, hub };
  assert.deepEqual(writer.add(AT, true, traits, limits, allocator)?.entries, [0x1000, 0x1002, 0x1005]);
  const [region] = [...readRequest(writer.take(), host.forms.list)];
  assert.deepEqual([region!.narrow, region!.anyNumbers], [false, true]);
  assert.deepEqual([...region!.code.computed].sort(), [0x1000, 0x1002, 0x1005]);
  assert.deepEqual([...region!.slots.keys()], [0x1000, 0x1002, 0x1005]);
  assert.deepEqual([...region!.profiles.keys()], [HUB]);
});
