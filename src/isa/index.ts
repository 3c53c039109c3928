import { ARITHMETIC } from './arithmetic.js';
import { BITS } from './bits.js';
import type { Row } from './builder.js';
import { CONTROL_FLOW } from './control-flow.js';
import { DECIMAL_ROWS } from './decimal.js';
import { FAR_TRANSFERS } from './far-transfers.js';
import { FLAG_TRANSFERS } from './flag-transfers.js';
import { MMX } from './mmx.js';
import { MOVES } from './moves.js';
import { MULTIPLY } from './multiply.js';
import { PORTS } from './ports.js';
import { SEGMENTS } from './segments.js';
import { SHIFTS } from './shifts.js';
import { SOFTWARE_INTERRUPTS } from './software-interrupts.js';
import { SSE_FAMILIES } from './sse-families.js';
import { STACK } from './stack.js';
import { STRINGS } from './strings.js';
import { SYSTEM } from './system.js';
import { X87_ROWS } from './x87.js';

/** The whole instruction set. Adding a family means adding its file here. */
export const INSTRUCTIONS: readonly Row[] = [
  ...ARITHMETIC,
  ...MULTIPLY,
  ...SHIFTS,
  ...BITS,
  ...MOVES,
  ...STACK,
  ...CONTROL_FLOW,
  ...STRINGS,
  ...DECIMAL_ROWS,
  ...SOFTWARE_INTERRUPTS,
  ...SEGMENTS,
  ...FAR_TRANSFERS,
  ...FLAG_TRANSFERS,
  ...PORTS,
  ...SYSTEM,
  ...X87_ROWS,
  ...SSE_FAMILIES,
  ...MMX,
];
