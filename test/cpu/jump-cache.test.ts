import assert from 'node:assert/strict';
import test from 'node:test';
import type { Walk } from '../../src/cpu/board.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import type { Translator } from '../../src/cpu/translator.js';
import { JUMP_HASH } from '../../src/memory/layout.js';
import { BareBoard, createMachine } from './machine-code.js';

/** Entries of the jump cache that are not as they should be, and what becomes of them. */

const FIRST = 0x1000;
const INT3 = 0xcc;

const place = (linear: number): number => (Math.imul(linear, JUMP_HASH.factor) >>> JUMP_HASH.shift) & JUMP_HASH.mask;

/** An address that has the same place in the jump cache as `FIRST`, with room for a few instructions. */
function findRival(): number {
  for (let linear = FIRST + 64; ; linear++)
    if (place(linear) === place(FIRST) && (linear & 0xfff) < 0xff0) return linear;
}

/** What a translator hears of: addresses that are hot. */
function attachListener(cpu: Processor, threshold: number): number[] {
  const heard: number[] = [];
  cpu.attachTranslator(
    (): Translator => ({
      table: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
      threshold,
      find: () => 0,
      hot: (linear) => {
        heard.push(linear);
        return 0;
      },
      invalidate: () => false,
      flush: () => {},
    }),
  );
  return heard;
}

test('blocks that share a place in the jump cache both become hot', () => {
  const rival = findRival();
  const memoryBytes = (rival & ~0xfff) + 0x10_0000;
  const cpu = createMachine([], { memoryBytes });
  const jump = (from: number, to: number): Uint8Array => {
    const code = Uint8Array.of(0xe9, 0, 0, 0, 0);
    new DataView(code.buffer).setInt32(1, to - (from + 5), true);
    return code;
  };
  cpu.memory.writeBytes(FIRST, jump(FIRST, rival));
  cpu.memory.writeBytes(rival, jump(rival, FIRST));
  const heard = attachListener(cpu, 20);
  cpu.state.eip = FIRST;
  assert.equal(cpu.run(100), EXIT.budget);
  assert.deepEqual(
    heard.sort((a, b) => a - b),
    [FIRST, rival],
  );
});

/** Maps the page at `FIRST` to one of two pages. */
class SwitchingBoard extends BareBoard {
  page = FIRST;
  executable = true;
  override walk(linear: number, access: number): Walk {
    const walk = super.walk(linear >>> 12 === FIRST >>> 12 ? this.page : linear, access);
    walk.executable = this.executable;
    if (!this.executable && access & 16) walk.fault = 17;
    return walk;
  }
}

function runOnce(cpu: Processor): number {
  cpu.state.eip = FIRST;
  cpu.state.registers[0] = 0;
  cpu.run(100);
  return cpu.exit.vector === 3 ? cpu.state.registers[0]! : -cpu.exit.vector;
}

for (const kind of ['one page', 'an address space', 'everything'] as const)
  test(`code is what its page is mapped to after the TLB has forgotten ${kind}`, () => {
    const template = createMachine([]);
    const board = new SwitchingBoard(1 << 20);
    const cpu = new Processor(template.memory, board);
    cpu.load(template.save());
    const forget = (): void => {
      if (kind === 'one page') cpu.flushTlbPage(FIRST);
      else if (kind === 'an address space') cpu.addressSpaceChanged();
      else cpu.flushTlb();
    };
    for (const page of [FIRST, 0x2000, 0x3000])
      cpu.memory.writeBytes(page, Uint8Array.of(0xb8, page >> 12, 0, 0, 0, INT3)); // mov eax,number
    for (const page of [FIRST, 0x2000, 0x2000, FIRST, 0x3000, FIRST, FIRST]) {
      board.page = page;
      forget();
      // The page is in the TLB, as data, before it is executed.
      assert.equal(cpu.access.read32((FIRST + 1) >>> 0), page >> 12);
      assert.equal(runOnce(cpu), page >> 12);
      assert.equal(runOnce(cpu), page >> 12);
    }
    board.executable = false;
    forget();
    assert.equal(cpu.access.read32(FIRST + 1), 1);
    assert.equal(runOnce(cpu), -14);
    board.executable = true;
    forget();
    assert.equal(runOnce(cpu), 1);
    // Overwritten while it is not looked at, it is not what it was.
    board.page = 0x2000;
    forget();
    assert.equal(runOnce(cpu), 2);
    cpu.memory.writeBytes(FIRST + 1, Uint8Array.of(9));
    board.page = FIRST;
    forget();
    assert.equal(runOnce(cpu), 9);
  });
