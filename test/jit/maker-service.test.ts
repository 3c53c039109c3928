import assert from 'node:assert/strict';
import test from 'node:test';
import type { TranslatorHost } from '../../src/cpu/translator.js';
import { DEFAULT_OPTIONS, RegionTranslator } from '../../src/jit/index.js';
import { LocalMaker, type Made } from '../../src/jit/maker.js';
import { MakerService } from '../../src/jit/maker-service.js';
import { exportName, readReport } from '../../src/jit/module-maker.js';
import { RequestWriter } from '../../src/jit/requests.js';
import { Scanner } from '../../src/jit/scanner.js';
import { createMachine } from '../cpu/machine-code.js';

/** `push eax; mov [ebx], ecx; call 1012; dec ecx; jnz` back; `fld1; jmp eax`; at 1010 a loop for ever, at 1012 `ret`. */
const CODE = [0x50, 0x89, 0x0b, 0xe8, 10, 0, 0, 0, 0x49, 0x75, 0xf5, 0xd9, 0xe8, 0xff, 0xe0, 0x90, 0xeb, 0xfe, 0xc3];

test('a service answers what is made in any thread', () => {
  const cpu = createMachine(CODE);
  let host: TranslatorHost | undefined;
  cpu.attachTranslator((given) => {
    host = given;
    return new RegionTranslator(given, DEFAULT_OPTIONS);
  });
  cpu.access.read(0x1000, 1);
  const writer = new RequestWriter(new Scanner(host!));
  const limits = { instructions: 100, onlyWhatRan: false };
  // ENTER is never translated.
  cpu.access.write(0x1800, 0xc8, 1);
  for (const [i, entry] of [0x1000, 0x1800, 0x1010].entries())
    assert.ok(
      writer.add(entry, false, { narrow: false, anyNumbers: false }, limits, {
        slotOf: () => i + 1,
        profileOf: () => 0x30_0000,
      }),
    );
  const request = writer.take();

  const setup = { helperNumbers: host!.helperNumbers };
  const service = new MakerService(() => 0);
  assert.equal(service.receive({ setup }), undefined);
  const { module, ...there } = service.receive({ request })!;
  let here: Made | undefined;
  new LocalMaker(setup, host!.forms, true, () => 0).make(request, (made) => (here = made));
  assert.deepEqual({ ...here, module: undefined }, { ...there, module: undefined });
  const [first, second, third] = [...readReport(there.report, 3)];
  assert.deepEqual([first!.instructions, second, third!.instructions], [8, undefined, 1]);
  assert.deepEqual(
    WebAssembly.Module.exports(module!).map(({ name }) => name),
    [exportName(0, 1), exportName(2, 3)],
  );
});
