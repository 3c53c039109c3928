import assert from 'node:assert/strict';
import test from 'node:test';
import { ACCESS_FETCH, ACCESS_WRITE } from '../../src/cpu/board.js';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import { type BareBoard, createMachine } from './machine-code.js';

/** Where walks are made, and where the TLB and what is known of code will do instead. */

const CODE = 0x1000;
const OTHER = 0x5000;

interface Walks {
  count: number;
  /** No fetch from `OTHER`, as of a page with the bit NX. */
  noExecute: boolean;
}

/** Counts walks of the page `OTHER`. */
function watchWalks(cpu: Processor): Walks {
  const board = cpu.board as BareBoard;
  const walk = board.walk.bind(board);
  const walks: Walks = { count: 0, noExecute: false };
  board.walk = (linear, access) => {
    const result = walk(linear, access);
    if (linear >>> 12 !== OTHER >>> 12) return result;
    walks.count++;
    result.executable = !walks.noExecute;
    return walks.noExecute && (access & ACCESS_FETCH) !== 0 ? { ...result, fault: ACCESS_FETCH | 1 } : result;
  };
  return walks;
}

function runFrom(cpu: Processor, eip: number): number {
  cpu.state.eip = eip;
  assert.equal(cpu.run(100), EXIT.trap);
  return cpu.exit.vector;
}

// mov eax,[OTHER]; mov ebx,OTHER; jmp ebx
const READ_AND_JUMP = [0xa1, 0, 0x50, 0, 0, 0xbb, 0, 0x50, 0, 0, 0xff, 0xe3];

test('a page that has been read is not executed if fetching from it is forbidden', () => {
  const cpu = createMachine(READ_AND_JUMP);
  cpu.memory.writeBytes(OTHER, Uint8Array.of(0xcc));
  const walks = watchWalks(cpu);
  walks.noExecute = true;
  assert.equal(runFrom(cpu, CODE), 14);
  assert.equal(cpu.exit.errorCode, ACCESS_FETCH | 1);
  assert.equal(cpu.exit.cr2, OTHER);
  // Nor does another attempt, or an allowed one in between, make a difference.
  assert.equal(runFrom(cpu, OTHER), 14);
  walks.noExecute = false;
  assert.equal(runFrom(cpu, OTHER), 3);
  walks.noExecute = true;
  cpu.flushTlbPage(OTHER);
  assert.equal(runFrom(cpu, OTHER), 14);
  walks.noExecute = false;
  assert.equal(runFrom(cpu, OTHER), 3);
  walks.noExecute = true;
  cpu.addressSpaceChanged();
  assert.equal(runFrom(cpu, OTHER), 14);
});

test('blocks of a page whose code has run are found without a walk', () => {
  const cpu = createMachine([]);
  cpu.memory.writeBytes(OTHER, Uint8Array.of(0xcc, 0x90, 0xcc));
  const walks = watchWalks(cpu);
  assert.equal(runFrom(cpu, OTHER), 3);
  const { count } = walks;
  assert.equal(runFrom(cpu, OTHER + 1), 3);
  assert.equal(runFrom(cpu, OTHER + 2), 3);
  assert.equal(walks.count, count);
});

test('helpers read and write through the TLB', () => {
  const cpu = createMachine([]);
  const walks = watchWalks(cpu);
  const { access } = cpu;
  access.write32(OTHER + 4, 0x1234_5678, true);
  assert.equal(walks.count, 1);
  access.write16(OTHER + 4, 1, true);
  assert.equal(access.read32(OTHER + 4, true), 0x1234_0001);
  access.probeWrite(OTHER, 100, true);
  assert.equal(walks.count, 1);
  cpu.flushTlbPage(OTHER);
  assert.equal(access.read8(OTHER + 4, true), 1);
  assert.equal(walks.count, 2);
  assert.equal(access.translate(OTHER, ACCESS_WRITE, true), OTHER);
});
