import assert from 'node:assert/strict';
import test from 'node:test';
import type { Walk } from '../../src/cpu/board.js';
import { Processor } from '../../src/cpu/processor.js';
import { BareBoard, createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Regions whose pages are mapped to others and back. */

const CODE = 0x1000;
const CALLED = 0x6000;
const VERSIONS = [0x6000, 0x7000, 0x8000] as const;

class SwitchingBoard extends BareBoard {
  called: number = CALLED;
  walks = 0;
  override walk(linear: number, access: number): Walk {
    this.walks++;
    return super.walk(linear >>> 12 === CALLED >>> 12 ? this.called : linear, access);
  }
}

function call(from: number, to: number): number[] {
  const bytes = new Uint8Array(5);
  bytes[0] = 0xe8;
  new DataView(bytes.buffer).setInt32(1, to - from - 5, true);
  return [...bytes];
}

test('a region that calls into a page does what is mapped there', () => {
  const template = createMachine([...call(CODE, CALLED), 0xcc]);
  const board = new SwitchingBoard(1 << 20);
  const cpu = new Processor(template.memory, board);
  cpu.load(template.save());
  const translator = attachTranslator(cpu, AT_ONCE);
  for (const [n, page] of VERSIONS.entries()) cpu.memory.writeBytes(page, Uint8Array.of(0xb8, n, 0, 0, 0, 0xc3));
  const run = (): number => {
    cpu.state.eip = CODE;
    cpu.run(100);
    assert.equal(cpu.exit.vector, 3);
    return cpu.state.registers[0]!;
  };
  for (const version of [0, 0, 1, 1, 0, 2, 0, 0, 2, 1, 1]) {
    board.called = VERSIONS[version]!;
    cpu.addressSpaceChanged();
    for (let i = 0; i < 3; i++) assert.equal(run(), version);
    // The pages are in the TLB before they are run.
    cpu.addressSpaceChanged();
    cpu.access.read8(CODE, true);
    cpu.access.read8(CALLED, true);
    assert.equal(run(), version);
    cpu.flushTlbPage(CALLED);
    assert.equal(run(), version);
  }
  const { translated } = translator.statistics();
  assert.ok(translated >= VERSIONS.length && translated < 12, `${translated} regions`);
  // Overwritten while something else is mapped there.
  board.called = VERSIONS[1];
  cpu.addressSpaceChanged();
  assert.equal(run(), 1);
  cpu.memory.writeBytes(VERSIONS[0] + 1, Uint8Array.of(7));
  board.called = VERSIONS[0];
  cpu.addressSpaceChanged();
  cpu.access.read8(CODE, true);
  cpu.access.read8(CALLED, true);
  assert.equal(run(), 7);
});
