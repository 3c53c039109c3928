import type { Processor } from '../../src/cpu/processor.js';
import { DEFAULT_OPTIONS, RegionTranslator, type TranslatorOptions } from '../../src/jit/index.js';

/** Translates everything the first time it runs, alone. */
export const AT_ONCE: Partial<TranslatorOptions> = { threshold: 1, batch: 1, onlyWhatRan: false, sparing: false };

/** Gives a processor a translator. */
export function attachTranslator(cpu: Processor, options: Partial<TranslatorOptions> = {}): RegionTranslator {
  let translator: RegionTranslator | undefined;
  cpu.attachTranslator((host) => (translator = new RegionTranslator(host, { ...DEFAULT_OPTIONS, ...options })));
  return translator!;
}
