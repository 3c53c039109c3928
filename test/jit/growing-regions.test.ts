import assert from 'node:assert/strict';
import test from 'node:test';
import { assemble } from '../../guest/assembler/index.js';
import { EXIT, type Processor } from '../../src/cpu/processor.js';
import type { RegionFacts } from '../../src/jit/observer.js';
import type { RegionTranslator } from '../../src/jit/index.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Code that had not run when a region was made becomes part of it. */

/** The function, too large to be part of its caller, goes another way from the 500th call on. */
const PROGRAM = `
    mov ebp, 60000
again:
    call function
    dec ebp
    jnz again
    int3
function:
    imul eax, eax, 17
${'    add eax, ebp\n'.repeat(40)}
    cmp ebp, 59500
    jb late
    rol eax, 3
    ret
late:
    xor eax, ebp
    ror eax, 5
    ret
`;

function machine(): Processor {
  const { sections } = assemble([{ name: 'test', text: `section .text physical=0x1000 virtual=0x1000\n${PROGRAM}` }]);
  const cpu = createMachine(sections[0]!.bytes, { at: 0x1000 });
  cpu.state.registers[4] = 0x8_0000;
  return cpu;
}

function finish(cpu: Processor, translator?: RegionTranslator): string {
  while (cpu.run(5000) === EXIT.budget) translator?.translateWaiting();
  const { state, exit } = cpu;
  return [...state.registers, state.eip, state.eflags, state.retired, exit.reason, exit.vector].join();
}

test('a region that is left all the time for code which it lacks is made anew, with it', () => {
  const expected = finish(machine());
  const cpu = machine();
  const made: RegionFacts[] = [];
  const ended: { entry: number; why: string }[] = [];
  const translator = attachTranslator(cpu, {
    ...AT_ONCE,
    threshold: 50,
    onlyWhatRan: true,
    observer: {
      regionMade: ({ entry, user, entries, instructions, bytes }) =>
        made.push({ entry, user, entries, instructions, bytes }),
      regionEnded: ({ entry }, why) => ended.push({ entry, why }),
      regionRefused: () => {},
      moduleCompiled: () => {},
      flushed: () => {},
    },
  });
  assert.equal(finish(cpu, translator), expected);
  const [end] = ended;
  assert.deepEqual(ended, [{ ...end!, why: 'replaced' }]);
  const [first, again] = made.filter(({ entry }) => entry === end!.entry);
  assert.ok(again!.instructions > first!.instructions, JSON.stringify(made));
});
