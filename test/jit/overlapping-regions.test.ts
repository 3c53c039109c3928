import assert from 'node:assert/strict';
import test from 'node:test';
import { createMachine } from '../cpu/machine-code.js';
import { attachTranslator } from './attach.js';

const OUTER = 0x1000;
const INNER = 0x1006;
const BEHIND = 0x1009;
/** outer: inc eax; mov ecx, 3; inner: dec ecx; jnz inner; dec edx; jnz outer; hlt. */
const LOOPS = [0x40, 0xb9, 3, 0, 0, 0, 0x49, 0x75, 0xfd, 0x4a, 0x75, 0xf4, 0xf4];
const THRESHOLD = 20;

test('blocks that become hot together are translated once, as part of one region', () => {
  const made: number[] = [];
  const cpu = createMachine(LOOPS, { at: OUTER });
  const translator = attachTranslator(cpu, {
    threshold: THRESHOLD,
    warmUp: 0,
    observer: {
      regionMade: ({ entry }) => made.push(entry),
      regionEnded: () => {},
      regionRefused: () => {},
      moduleCompiled: () => {},
      flushed: () => {},
    },
  });
  const { registers } = cpu.state;
  registers[2] = 1_000_000;
  // The inner loop is hot first, then what surrounds it.
  cpu.run(12 * THRESHOLD);
  translator.translateWaiting();
  assert.equal(made.length, 1, `${[OUTER, INNER, BEHIND].join()}: ${made.join()}`);
  cpu.run(1000);
  translator.translateWaiting();
  assert.equal(made.length, 1);

  // What goes on to be entered in the middle gets a region of its own.
  const before = made.length;
  for (let n = 0; n < 3 * THRESHOLD; n++) {
    cpu.state.eip = BEHIND;
    registers[2] = 1;
    cpu.run(2);
    cpu.state.eip = OUTER;
  }
  translator.translateWaiting();
  assert.deepEqual(made.slice(before), [BEHIND]);
});
