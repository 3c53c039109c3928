import type { Row } from './builder.js';
import { SSE_ARITHMETIC } from './sse-arithmetic.js';
import { SSE_CONTROL } from './sse-control.js';
import { SSE_CONVERSIONS } from './sse-conversions.js';
import { SSE_INTEGER } from './sse-integer.js';
import { SSE_MASKED_STORES } from './sse-masked-stores.js';
import { SSE_MMX } from './sse-mmx.js';
import { SSE_MOVES } from './sse-moves.js';
import { SSE_SHUFFLES } from './sse-shuffles.js';
import { SSE3 } from './sse3.js';
import { SSSE3 } from './ssse3.js';

/** All of SSE, SSE2, SSE3 and SSSE3. */
export const SSE_FAMILIES: readonly Row[] = [
  ...SSE_MOVES,
  ...SSE_SHUFFLES,
  ...SSE_INTEGER,
  ...SSE_ARITHMETIC,
  ...SSE_CONVERSIONS,
  ...SSE_MMX,
  ...SSE_MASKED_STORES,
  ...SSE_CONTROL,
  ...SSE3,
  ...SSSE3,
];
