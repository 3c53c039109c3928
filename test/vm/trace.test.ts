import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHaveSymbols, readSymbols } from '../../src/debug/symbols.js';
import { Tracer } from '../../src/debug/trace.js';
import { describeInterrupt, describeTrap, trapName } from '../../src/debug/trace-events.js';
import {
  describeDescriptor,
  describeGate,
  describeHypercall,
  describePte,
  hypercallName,
} from '../../src/debug/trace-hypercalls.js';
import { describeTranslation } from '../../src/debug/trace-translation.js';
import { HYPERCALLS } from '../../src/host/hypercalls.js';
import { SmallGuest } from './small-guest.js';

const noMemory = () => new Uint8Array(0);
/** Guest memory that holds `text` everywhere. */
const memoryWith = (text: string) => (_gpa: number, length: number) =>
  new TextEncoder().encode(text).subarray(0, length);

test('every hypercall of the Host has its name here too', () => {
  for (const { number, name, generations } of HYPERCALLS) {
    if (generations[1] === 'B1') continue;
    const known = [hypercallName(number, 'C1'), hypercallName(number, 'C2')];
    assert.ok(known.includes(name), `${number} ${name}`);
  }
  assert.equal(hypercallName(99), 'hypercall 99');
});

test('hypercalls in words', () => {
  const describe = (call: number, ...args: number[]) => describeHypercall(call, [...args, 0, 0, 0, 0], noMemory);
  assert.equal(describe(0), 'FLUSH_ASYNC');
  assert.equal(
    describe(14, 0x3f3000, 0xc3fff000, 0x3fff063),
    'SET_PTE pgdir=0x3f3000 gva=0xc3fff000 pte=0x3fff063 (frame 0x3fff000 writable accessed dirty)',
  );
  assert.equal(describe(5, 0), 'FLUSH_TLB user part');
  assert.equal(describe(5, 1), 'FLUSH_TLB everything');
  assert.equal(
    describe(6, 14, 0x0061_1234, 0xc010_8e00),
    'LOAD_IDT_ENTRY vector=14 interrupt gate to 0x61:0xc0101234, dpl 0',
  );
  assert.equal(describe(7, 0x69, 0xc0400000, 2), 'SET_STACK ss=0x69 esp=0xc0400000 pages=2');
  assert.equal(describe(8, 8), 'TS set');
  assert.equal(describe(9, 0), 'SET_CLOCKEVENT cancel');
  assert.equal(describe(9, 4_000_000), 'SET_CLOCKEVENT in 4000000 ns');
  assert.equal(describe(77, 1, 2), 'unknown 77 (0x1 0x2 0x0 0x0 0x0 0x0)');
});

test('texts the guest names are shown, queue kicks are not taken for texts', () => {
  assert.equal(describeHypercall(2, [0x1000, 2, 0, 0], memoryWith('rest\nart\0x')), 'SHUTDOWN restart "rest\\nart"');
  assert.equal(describeHypercall(17, [0x1000, 0, 0, 0], memoryWith('hi\n\0')), 'NOTIFY 0x1000 "hi\\n"');
  assert.equal(describeHypercall(17, [0x4001000, 0, 0, 0], memoryWith('\x10\x80\0')), 'NOTIFY 0x4001000');
  assert.equal(describeHypercall(17, [0xffff_f000, 0, 0, 0], noMemory), 'NOTIFY 0xfffff000');
  assert.match(describeHypercall(2, [0, 1, 0, 0], memoryWith('x'.repeat(500))), /^SHUTDOWN power off "x{64}"…$/);
});

test('page-table entries, gates and descriptors', () => {
  assert.equal(describePte(0x1000, 0), '0x1000 (not present)');
  assert.equal(describePte(0x25, 0x8000_0001), '0x8000000100000025 (frame 0x100000000 user accessed no-execute)');
  assert.equal(describeGate(0, 0), 'not present');
  assert.equal(describeGate(0x0060_0000, 0xef00), 'trap gate to 0x60:0x0, dpl 3');
  assert.equal(describeDescriptor(0, 0), 'empty');
  assert.equal(describeDescriptor(0xffff, 0x00cf_bb00), 'code base 0x0 limit 0xffffffff, dpl 1');
  assert.equal(describeDescriptor(0x1000_ffff, 0x0040_f3b7), 'data base 0xb71000 limit 0xffff, dpl 3');
});

test('traps and interrupts in words', () => {
  assert.equal(trapName(0x80), '128 system call');
  assert.equal(
    describeTrap(14, 6, 0x8048000, 3, 0xbffff000, true),
    '14 page fault at 0xbffff000 (write from user, not present) eip=0x8048000 ring 3, to the guest',
  );
  assert.equal(
    describeTrap(13, 0x402, 0x10, 1, 0, false),
    '13 general protection (idt entry 128) eip=0x10 ring 1, served by the Host',
  );
  assert.equal(describeInterrupt(0, 0x10), '0 (timer) at eip=0x10');
  assert.equal(describeInterrupt(3, 0x10), '3 at eip=0x10');
});

test('the translator in words', () => {
  const region = { entry: 0xc010_1234, user: false, instructions: 37, bytes: 1423 };
  assert.equal(describeTranslation({ kind: 'made', region }), 'made 0xc0101234 kernel, 37 instructions, 1423 bytes');
  assert.equal(
    describeTranslation({ kind: 'ended', region: { ...region, user: true }, why: 'overwritten' }),
    'ended 0xc0101234 user: its code was written',
  );
  assert.equal(
    describeTranslation({ kind: 'module', regions: 2, bytes: 999, emitMs: 1.26, compileMs: 3 }),
    'module of 2 regions, 999 bytes, made in 1.3 ms, compiled in 3.0 ms',
  );
  assert.equal(
    describeTranslation({ kind: 'flushed', regions: 2, bytes: 999, why: 'slots' }),
    'forgot 2 regions, 999 bytes: too many addresses',
  );
  assert.match(describeTranslation({ kind: 'refused', entry: 5, user: true }), /^refused 0x5 user: /);
});

test('lines carry the count of instructions and the symbol, and come in large pieces', () => {
  const written: string[] = [];
  const view = { retired: () => 1234, peek: noMemory, generation: () => 'C2', symbol: () => 'schedule+0x4' };
  const tracer = new Tracer(['traps'], view, (text) => written.push(text));
  tracer.hypercall(0, [0, 0, 0, 0], true);
  tracer.trap(0, 0, 5, 1, 0, true);
  tracer.translation({ kind: 'refused', entry: 5, user: false });
  tracer.enabled = false;
  tracer.interrupt(0, 5);
  assert.deepEqual(written, []);
  tracer.flush();
  tracer.flush();
  assert.deepEqual(written, [
    '        1234 hypercall FLUSH_ASYNC (ring)\n        1234 trap 0 divide error eip=0x5 ring 1, to the guest <schedule+0x4>\n' +
      '        1234 translation refused 0x5 kernel: its first instruction is left to the interpreter <schedule+0x4>\n',
  ]);
});

test('symbols of a System.map', () => {
  const map = 'c0100000 T _text\nc0100010 t startup\nc0200000 D data\n00001000 A absolute\nffffffffc0000000 T long\n';
  const symbols = readSymbols(new TextEncoder().encode(map))!;
  assert.equal(symbols.size, 3);
  assert.equal(symbols.nearest(0xc010_0000), '_text');
  assert.equal(symbols.nearest(0xc010_0013), 'startup+0x3');
  assert.equal(symbols.nearest(0xc00f_ffff), undefined);
  assert.equal(symbols.nearest(0xc050_0000), undefined);
  assert.equal(symbols.addressOf('data'), 0xc020_0000);
});

test('symbols of an ELF file', () => {
  const guest = new SmallGuest().init().label('first').loop().label('second').loop();
  const symbols = readSymbols(guest.elf())!;
  assert.equal(symbols.nearest(symbols.addressOf('second')!), 'second');
  assert.equal(symbols.nearest(symbols.addressOf('second')! - 1), 'first+0x1');
  assert.ok(mayHaveSymbols(guest.elf()));
});

test('files without symbols, and damaged ones, have none', () => {
  assert.equal(readSymbols(new Uint8Array(0)), undefined);
  assert.equal(readSymbols(new TextEncoder().encode('hello\nworld\n')), undefined);
  const bare = new SmallGuest().init().elf();
  assert.equal(readSymbols(bare), undefined);
  assert.ok(!mayHaveSymbols(bare), 'it need not be kept');
  const elf = new SmallGuest().init().label('here').loop().elf();
  for (let length = 0; length < elf.length; length += 97) readSymbols(elf.subarray(0, length));
  for (let at = 0; at < 52; at++) readSymbols(elf.with(at, 0xff));
  for (let at = elf.length - 160; at < elf.length; at++) readSymbols(elf.with(at, 0xff));
});
