import { buildConformanceGuest, type VariantName } from '../../guest/index.js';
import type { TranslatorOptions } from '../../src/jit/index.js';
import { detectPlatform } from '../../src/platform/detect.js';
import { BackgroundMaker } from '../../src/vm/background-maker.js';
import { VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';
import { Comparison } from '../jit/compare.js';

/** What every platform has to do alike: no Node and no DOM in here. */

/** What came of it: equal on all platforms, down to the last instruction. */
export interface Outcome {
  /** Programs of which interpreter and translator made something different. */
  readonly differences: readonly string[];
  /** Over everything that all random programs left behind. */
  readonly checksum: number;
  /** Programs whose modules were compiled in the background. */
  readonly inBackground: number;
  /** Programs whose modules were made in another thread. */
  readonly inThread: number;
  readonly guests: readonly GuestOutcome[];
}

export interface GuestOutcome {
  readonly variant: string;
  readonly way: string;
  readonly ending: string;
  readonly instructions: number;
  readonly translated: boolean;
  readonly output: string;
}

type GivenMaker = NonNullable<TranslatorOptions['maker']>;

const LONGEST_MS = 3_600_000;
const PROGRAMS = 80;
const BACKGROUND_PROGRAMS = 10;
const FIRST_SEED = 5000;
const VARIANTS: readonly VariantName[] = ['C2', 'D2-PAE'];
const WAYS: Readonly<Record<string, Partial<VirtualMachineOptions>>> = {
  interpreted: { jit: false },
  'translated when hot': {},
  'translated at once': { torture: { translateAtOnce: true } },
};

export async function runWorkload(): Promise<Outcome> {
  const comparison = new Comparison();
  const differences: string[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const difference = comparison.run(seed);
    if (difference !== undefined) differences.push(difference);
  }
  const inBackground = await compareInBackground(differences, 'in the background');
  const inThread = await compareInThread(differences);
  const guests: GuestOutcome[] = [];
  for (const variant of VARIANTS) for (const way of Object.keys(WAYS)) guests.push(await runGuest(variant, way));
  return { differences, checksum: comparison.checksum, inBackground, inThread, guests };
}

/**
 * Programs that run twice: the first time they are interpreted while their code is being made, the second time there is
 * a region for it. Returns how many have then been in translated code.
 */
async function compareInBackground(differences: string[], where: string, given?: GivenMaker): Promise<number> {
  let underWay = 0;
  let done = (): void => {};
  const maker: GivenMaker = (setup, local) => {
    const inner = given?.(setup, local) ?? local();
    return {
      get idle() {
        return inner.idle;
      },
      get isBehind() {
        return inner.isBehind;
      },
      make(request, finish) {
        underWay++;
        inner.make(request, (made) => {
          finish(made);
          underWay--;
          done();
        });
      },
    };
  };
  const comparison = new Comparison({ synchronous: false, maker });
  const { translator } = comparison;
  const leaves = (): number => Object.values(translator.statistics().leaves).reduce((sum, count) => sum + count);
  let translated = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + BACKGROUND_PROGRAMS; seed++) {
    for (let time = 0; time < 2; time++) {
      const before = leaves();
      const difference = comparison.run(seed);
      if (difference !== undefined) differences.push(`${where}: ${difference}`);
      if (time === 1 && leaves() > before) translated++;
      while (underWay > 0) {
        await new Promise<void>((resolve) => {
          done = resolve;
        });
      }
    }
  }
  return translated;
}

/** The same with modules from another thread; 0 if there is none. */
async function compareInThread(differences: string[]): Promise<number> {
  const platform = await detectPlatform();
  const background = new BackgroundMaker(platform);
  background.start();
  // The thread keeps no process alive.
  const rest = platform.callLater(LONGEST_MS, () => {});
  let inThread = (): boolean => false;
  const translated = await compareInBackground(differences, 'in another thread', (setup, local) => {
    const maker = background.makerFor(setup, local);
    inThread = () => maker.idle;
    return maker;
  });
  const worked = inThread();
  background.end();
  rest();
  return worked ? translated : 0;
}

/** The conformance guest, with all of its cases. */
async function runGuest(variant: VariantName, way: string): Promise<GuestOutcome> {
  let output = '';
  const vm = await VirtualMachine.create({
    kernel: buildConformanceGuest(variant),
    memory: 16,
    clock: 'virtual',
    input: '',
    output: {
      write: (bytes) => {
        output += String.fromCharCode(...bytes);
      },
    },
    ...WAYS[way],
  });
  vm.run();
  const { reason, text } = await vm.ended;
  const { instructions, translation } = vm.stats();
  const translated = (translation?.translated ?? 0) > 0;
  return { variant, way, ending: `${reason} ${text}`, instructions, translated, output };
}
