import assert from 'node:assert/strict';
import test from 'node:test';
import type { Maker, RegionTranslator, TranslatorOptions } from '../../src/jit/index.js';
import type { Processor } from '../../src/cpu/processor.js';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Regions that are not there yet: made later, while the guest goes on. */

/** Makes modules when it is told to. */
class LaterMaker implements Maker {
  readonly idle = true;
  isBehind = false;
  private readonly waiting: { finish(): void; lose(): void }[] = [];
  requests = 0;

  constructor(private readonly local: Maker) {}

  make(request: Int32Array<ArrayBuffer>, done: Parameters<Maker['make']>[1]): void {
    this.requests++;
    this.waiting.push({ finish: () => this.local.make(request, done), lose: () => done(undefined) });
  }
  finish(): void {
    for (const request of this.waiting.splice(0)) request.finish();
  }
  lose(): void {
    for (const request of this.waiting.splice(0)) request.lose();
  }
}

const LOOP_AT = 0x1005;
/** `mov eax, 0; inc eax; dec ecx; jnz` back to the INC, `hlt`. */
const COUNT = [0xb8, 0, 0, 0, 0, 0x40, 0x49, 0x75, 0xfc, 0xf4];
const INC_EBX = 0x43;

interface Scene {
  readonly cpu: Processor;
  readonly translator: RegionTranslator;
  readonly maker: LaterMaker;
  /** Counts from the beginning and returns EAX and EBX. */
  count(times: number): [eax: number, ebx: number];
  /** Whether the loop runs in translated code. */
  isTranslated(): boolean;
}

function scene(options: Partial<TranslatorOptions> = {}): Scene {
  const cpu = createMachine(COUNT);
  let maker: LaterMaker | undefined;
  const translator = attachTranslator(cpu, {
    ...AT_ONCE,
    ...options,
    maker: (_setup, local) => (maker = new LaterMaker(local())),
  });
  const { state } = cpu;
  const count = (times: number): [number, number] => {
    state.eip = 0x1000;
    state.registers[1] = times;
    state.registers[3] = 0;
    cpu.run(1 + 3 * times);
    assert.equal(state.eip, LOOP_AT + 4);
    return [state.registers[0]!, state.registers[3]!];
  };
  const isTranslated = (): boolean => {
    const leaves = translator.budgetLeaves;
    state.eip = LOOP_AT;
    state.registers[1] = 1000;
    cpu.run(100);
    return translator.budgetLeaves > leaves;
  };
  return { cpu, translator, maker: maker!, count, isTranslated };
}

test('code that is in the making is interpreted, and not made twice', () => {
  const { translator, maker, count, isTranslated } = scene();
  assert.deepEqual(count(100), [100, 0]);
  const { requests } = maker;
  assert.ok(requests > 0);
  assert.deepEqual(count(100), [100, 0]);
  assert.equal(maker.requests, requests);
  assert.ok(!isTranslated());
  assert.equal(translator.statistics().regions, 0);
  maker.finish();
  assert.ok(translator.statistics().regions > 0);
  assert.deepEqual(count(100), [100, 0]);
  assert.ok(isTranslated());
});

test('code that becomes hot while the maker is behind is made when it is hot again', () => {
  const { maker, count, isTranslated } = scene({ threshold: 20, sparing: true, warmUp: 0 });
  maker.isBehind = true;
  assert.deepEqual(count(100), [100, 0]);
  assert.equal(maker.requests, 0);
  maker.isBehind = false;
  assert.deepEqual(count(100), [100, 0]);
  maker.finish();
  assert.ok(isTranslated());
});

test('while little has been made code has to become hot again and again', () => {
  const runsUntilMade = (warmUp: number, made: number): number => {
    const { translator, maker, count } = scene({ threshold: 20, sparing: true, warmUp });
    const { counts } = translator as unknown as { counts: { instructions: number } };
    counts.instructions = made;
    for (let runs = 10; ; runs += 10) {
      assert.deepEqual(count(10), [10, 0]);
      if (maker.requests > 0) return runs;
    }
  };
  const once = runsUntilMade(0, 0);
  assert.ok(once <= 30, `${once} runs`);
  assert.equal(runsUntilMade(1000, 1000), once);
  const [thrice, tenTimes] = [runsUntilMade(1000, 500), runsUntilMade(1000, 499)];
  assert.ok(thrice >= 60 && thrice <= 90, `${thrice} runs`);
  assert.ok(tenTimes >= 200 && tenTimes <= 300, `${tenTimes} runs`);
});

test('a write to code in the making makes what comes void', () => {
  const { cpu, translator, maker, count, isTranslated } = scene();
  count(100);
  cpu.access.write(LOOP_AT, INC_EBX, 1);
  maker.finish();
  assert.equal(translator.statistics().invalidated, 0, 'no region was there to be lost');
  assert.ok(!isTranslated());
  assert.deepEqual(count(100), [0, 100]);
  maker.finish();
  assert.ok(isTranslated());
  assert.deepEqual(count(100), [0, 100]);
});

test('a write beside code in the making does no harm to it', () => {
  const { cpu, maker, count, isTranslated } = scene();
  count(100);
  cpu.access.write(0x1100, 1, 1);
  maker.finish();
  assert.ok(isTranslated());
});

const ENDS: Record<string, (scene: Scene) => void> = {
  'all regions are dropped': ({ translator }) => translator.drop(),
  'the state is replaced': ({ cpu }) => cpu.load(cpu.save()),
};

for (const [what, happen] of Object.entries(ENDS)) {
  test(`${what} while code is in the making`, () => {
    const one = scene();
    one.count(100);
    happen(one);
    one.maker.finish();
    assert.equal(one.translator.statistics().regions, 0);
    assert.ok(!one.isTranslated());
    assert.deepEqual(one.count(100), [100, 0]);
    one.maker.finish();
    assert.ok(one.isTranslated());
  });
}

test('what is lost is made when it is hot again', () => {
  const { translator, maker, count, isTranslated } = scene();
  count(100);
  maker.lose();
  assert.equal(translator.statistics().regions, 0);
  count(100);
  maker.finish();
  assert.ok(isTranslated());
  assert.deepEqual(count(100), [100, 0]);
});
