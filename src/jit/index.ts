export { DEFAULT_OPTIONS, RegionTranslator, type TranslatorOptions } from './translator.js';
export type { Made, Maker } from './maker.js';
export type { MakerSetup } from './module-maker.js';
export type { FlushReason, ModuleFacts, RegionEnd, RegionFacts, TranslatorObserver } from './observer.js';
export type { TranslatorStatistics } from './statistics.js';
