import assert from 'node:assert/strict';
import test from 'node:test';
import { EXIT } from '../../src/cpu/processor.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Translated code that goes to 0xffffffff, which is also the word for "elsewhere". */
for (const [name, code] of Object.entries({
  'a constant': [0x6a, 0xff, 0xc3],
  'a computed address': [0x83, 0xc8, 0xff, 0xff, 0xe0],
  'what it reads': [0x83, 0x0c, 0x24, 0xff, 0xc3],
})) {
  test(`a jump to the last byte of memory, by ${name}, faults there`, () => {
    const cpu = createMachine(code);
    attachTranslator(cpu, AT_ONCE);
    for (let time = 0; time < 2; time++) {
      cpu.state.eip = 0x1000;
      cpu.state.registers[4] = 0x8000;
      assert.equal(cpu.run(1000), EXIT.trap);
      assert.deepEqual([cpu.exit.vector, cpu.exit.cr2, cpu.state.eip], [14, 0xffff_ffff, 0xffff_ffff]);
    }
  });
}
