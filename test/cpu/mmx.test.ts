import assert from 'node:assert/strict';
import test from 'node:test';
import { STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/** What the recorded vectors of MMX (test/cpu/vectors.test.ts) do not show: who may use it. */

const PADDB = [0x0f, 0xfc, 0xc1];
const UNDEFINED_OPCODE = 6;
const NOT_AVAILABLE = 7;
const PENDING_ERROR = 16;

function vectorOf(
  code: readonly number[],
  prepare: (cpu: ReturnType<typeof createMachine>) => void = () => {},
): number {
  const cpu = createMachine([...code, 0xcc]);
  prepare(cpu);
  cpu.fpuStateChanged();
  cpu.run(10);
  return cpu.exit.vector;
}

test('an MMX instruction runs', () => {
  assert.equal(vectorOf(PADDB), 3);
});

test('with 66, F2 or F3 it would be SSE2, which there is not', () => {
  for (const prefix of [0x66, 0xf2, 0xf3]) assert.equal(vectorOf([prefix, ...PADDB]), UNDEFINED_OPCODE);
});

test('TS, EM and a pending x87 exception stop it', () => {
  assert.equal(
    vectorOf(PADDB, ({ state }) => state.set(STATE.cr0, 1 | 8)),
    NOT_AVAILABLE,
  );
  assert.equal(
    vectorOf(PADDB, ({ state }) => state.set(STATE.cr0, 1 | 4)),
    UNDEFINED_OPCODE,
  );
  const pending = ({ state }: ReturnType<typeof createMachine>): void => {
    state.set(STATE.cr0, 1 | 0x20);
    state.set(STATE.fpuControl, 0x37e);
    state.set(STATE.fpuStatus, 0x81);
  };
  assert.equal(vectorOf(PADDB, pending), PENDING_ERROR);
});
