import type { Row } from './builder.js';
import { SSE_INTEGER } from './sse-integer.js';
import { SSE_MOVES } from './sse-moves.js';
import { SSE_SHUFFLES } from './sse-shuffles.js';

/** All of SSE. */
export const SSE_FAMILIES: readonly Row[] = [...SSE_MOVES, ...SSE_SHUFFLES, ...SSE_INTEGER];
