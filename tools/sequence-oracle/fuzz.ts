import { AT_ONCE, attachTranslator } from '../../test/jit/attach.js';
import { RandomNumbers } from '../../test/jit/random-numbers.js';
import type { RegionTranslator } from '../../src/jit/index.js';
import { difference, isComparable } from './difference.js';
import { SequenceOracle } from './harness.js';
import { type Answer, type Question, START } from './layout.js';
import { makeQuestion } from './questions.js';
import { SequenceReplay } from './replay.js';

const BATCH = 200;

/** Runs random programs on the real processor, interpreted and translated, and tells where they differ. */
export class NativeFuzz {
  private readonly oracle = new SequenceOracle();
  private readonly interpreting = new SequenceReplay();
  private readonly translating = new SequenceReplay();
  readonly translator: RegionTranslator;
  private batch: { question: Question; answer: Answer }[] = [];
  /** Programs that ended in a fault, and those that could not be compared. */
  faults = 0;
  skipped = 0;

  constructor() {
    this.translator = attachTranslator(this.translating.processor, AT_ONCE);
  }

  /** Undefined if all three did the same. Wants seeds in order. */
  run(seed: number): string | undefined {
    if (this.batch[0]?.question.seed !== seed) {
      const questions = Array.from({ length: BATCH }, (_, i) => makeQuestion(seed + i));
      const answers = this.oracle.ask(questions);
      this.batch = questions.map((question, i) => ({ question, answer: answers[i]! }));
    }
    const { question, answer: native } = this.batch.shift()!;
    if (!isComparable(native)) {
      this.skipped++;
      return undefined;
    }
    if (native.vector !== 3) this.faults++;
    const random = new RandomNumbers(seed + 2);
    const interpreted = difference(question, native, this.interpreting.answer(question));
    const slice = (): number => (random.chance(50) ? 1 << 16 : 1 + random.below(60));
    const translated = difference(question, native, this.translating.answer(question, slice));
    if (interpreted === '' && translated === '') return undefined;
    return `seed ${seed}: interpreted ${interpreted || 'the same'}; translated ${translated || 'the same'}\ncode at ${START.toString(16)}: ${Buffer.from(question.code).toString('hex')}`;
  }

  dispose(): void {
    this.oracle.dispose();
  }
}
