import assert from 'node:assert/strict';
import test from 'node:test';
import type { TranslatorObserver } from '../../src/jit/index.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Writes down what an observer hears. */
class Listener implements TranslatorObserver {
  readonly heard: string[] = [];
  regionMade({ entry, user, instructions }: { entry: number; user: boolean; instructions: number }): void {
    this.heard.push(`made ${entry.toString(16)} ${user} ${instructions}`);
  }
  regionEnded({ entry }: { entry: number }, why: string): void {
    this.heard.push(`ended ${entry.toString(16)} ${why}`);
  }
  regionRefused(entry: number): void {
    this.heard.push(`refused ${entry.toString(16)}`);
  }
  moduleCompiled({ regions, bytes }: { regions: number; bytes: number }): void {
    assert.ok(bytes > 8);
    this.heard.push(`module ${regions}`);
  }
  flushed(regions: number, bytes: number, why: string): void {
    assert.ok(bytes > 0);
    this.heard.push(`flushed ${regions} ${why}`);
  }
}

/** `dec ecx; jnz` to itself, then ENTER, which is never translated, and HLT. */
const COUNT_DOWN = [0x49, 0x75, 0xfd, 0xc8, 0, 0, 0, 0xf4];

test('an observer hears of modules and regions, and why they end', () => {
  const observer = new Listener();
  const cpu = createMachine(COUNT_DOWN);
  const translator = attachTranslator(cpu, { ...AT_ONCE, observer });
  cpu.state.registers[1] = 10;
  cpu.run(100);
  assert.deepEqual(observer.heard, ['made 1000 false 2', 'module 1', 'refused 1003']);
  observer.heard.length = 0;
  cpu.access.write(0x1000, 0x90, 1);
  assert.deepEqual(observer.heard, ['ended 1000 overwritten']);
  observer.heard.length = 0;
  cpu.state.eip = 0x1000;
  cpu.state.registers[1] = 1;
  cpu.run(3);
  translator.drop();
  assert.match(observer.heard.join(), /^made 1000 false \d,module 1.*,flushed \d dropped$/);
});

test('budget leaves and the time that translating takes are counted', () => {
  let now = 0;
  const cpu = createMachine(COUNT_DOWN);
  const translator = attachTranslator(cpu, { ...AT_ONCE, now: () => now++ });
  cpu.state.registers[1] = 1_000_000;
  cpu.run(1000);
  assert.ok(translator.guestMilliseconds > 0);
  const before = translator.budgetLeaves;
  cpu.run(1000);
  assert.equal(translator.budgetLeaves, before + 1);
});
