import assert from 'node:assert/strict';
import test from 'node:test';
import { CS, DS, ES, FS, GS, SS } from '../../src/memory/layout.js';
import { DATA, enterUser, initialisedGuest, LOOP, STACK, word } from './test-guest.js';

/** Traps that the processor reflects by itself (cpu/interpreter/gates.ts), against those that the Host reflects. */

const HANDLER = 0x11_0000;
const NOT_THERE = 0x7000_0010;

const TRAPS: readonly (readonly [string, number, readonly number[]])[] = [
  ['int 0x80', 0x80, [0xcd, 0x80]],
  ['int 6', 6, [0xcd, 6]],
  ['int 0x20', 13, [0xcd, 0x20]],
  ['mov eax, [a page that is not there]', 14, [0xa1, ...word(NOT_THERE)]],
  ['mov [a page that is not there], al', 14, [0xa2, ...word(NOT_THERE)]],
  ['inc eax; push [a page that is not there]', 14, [0x40, 0xff, 0x35, ...word(NOT_THERE)]],
];

interface Case {
  bytes: readonly number[];
  vector: number;
  ring: number;
  type: number;
  level: number;
  flags: number;
  /** The guest's own interrupt flag. */
  enabled: boolean;
}

/** `direct`: the processor may do it, as nobody watches. */
function outcome({ bytes, vector, ring, type, level, flags, enabled }: Case, direct: boolean) {
  const guest = initialisedGuest('C2', direct ? {} : { observer: { trap: () => {} } });
  guest.gate(vector, HANDLER, type, level).write(HANDLER, LOOP);
  const { host, state, memory } = guest;
  memory.write32(DATA, enabled ? 0x200 : 0);
  guest.registers[4] = STACK;
  let handled = 0;
  const handle = host.traps.handle.bind(host.traps);
  host.traps.handle = () => {
    handled++;
    return handle();
  };
  if (ring === 3) {
    enterUser(guest, bytes, flags);
    // IRET has taken away the kernel's segments.
    for (const index of [DS, ES]) state.setSegment(index, state.segment(SS));
    host.cpu.segmentsChanged();
    // The stack is in the TLB, as it mostly is.
    host.cpu.access.write32(STACK - 68, 0, true);
    host.run(4);
  } else {
    state.eflags = flags;
    host.cpu.access.write32(STACK - 4, 0, true);
    guest.execute(bytes, 4);
  }
  const seen = {
    end: guest.end,
    ...{ eip: state.eip, cpl: state.cpl, eflags: state.eflags, retired: state.retired, trappedAt: state.trappedAt },
    registers: [...state.registers],
    segments: [ES, CS, SS, DS, FS, GS].map((index) => state.segment(index)),
    statistics: host.statistics.traps,
    frame: [...memory.bytes(STACK - 0x100, 0x100)],
    data: [...memory.bytes(DATA, 0x40)],
  };
  return { seen, handled };
}

test('traps do the same whether the Host reflects them or the processor does', () => {
  let direct = 0;
  for (const [name, vector, bytes] of TRAPS)
    for (const ring of [1, 3])
      for (const [type, level, flags, enabled] of [
        [0xe, 3, 0x202, true],
        [0xf, 3, 0xad7, false],
        [0xf, 0, 0x202, true],
      ] as const) {
        const given = { bytes, vector, ring, type, level, flags, enabled };
        const byProcessor = outcome(given, true);
        const byHost = outcome(given, false);
        assert.deepEqual(byProcessor.seen, byHost.seen, `${name} at ${ring}, ${type} ${level} ${flags}`);
        assert.equal(byHost.handled, 1);
        if (byProcessor.handled === 0) direct++;
      }
  assert.ok(direct > 18, `${direct} by the processor`);
});
