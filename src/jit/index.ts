export { DEFAULT_OPTIONS, RegionTranslator, type TranslatorOptions } from './translator.js';
export type { TranslatorStatistics } from './statistics.js';
