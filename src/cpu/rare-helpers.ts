import type { Helper } from './context.js';
import { controlRegisterHelpers } from './control-registers.js';
import { cpuidHelpers } from './cpuid.js';
import { farTransferHelpers } from './far-transfers.js';
import { flagTransferHelpers } from './flag-transfers.js';
import { fpuControlHelpers } from './fpu-control.js';
import { fpuStateHelpers } from './fpu-state.js';
import { fxsaveHelpers } from './fxsave.js';
import { interruptReturnHelpers } from './interrupt-return.js';
import { segmentQueryHelpers } from './segment-queries.js';
import { segmentHelpers } from './segmentation.js';
import { sseApproximationHelpers } from './sse-approximations.js';
import { sseArithmeticHelpers } from './sse-arithmetic.js';
import { sseControlHelpers } from './sse-control.js';
import { sseConversionHelpers } from './sse-conversions.js';
import { systemHelpers } from './system-instructions.js';
import { x87Helpers } from './x87.js';
import { x87MoveHelpers } from './x87-moves.js';

/** Every helper of rare instructions, under the names that rows call them by. */
export const RARE_HELPERS: Readonly<Record<string, Helper>> = {
  ...segmentHelpers,
  ...segmentQueryHelpers,
  ...farTransferHelpers,
  ...interruptReturnHelpers,
  ...flagTransferHelpers,
  ...controlRegisterHelpers,
  ...systemHelpers,
  ...cpuidHelpers,
  ...fpuStateHelpers,
  ...fpuControlHelpers,
  ...fxsaveHelpers,
  ...x87Helpers,
  ...x87MoveHelpers,
  ...sseArithmeticHelpers,
  ...sseApproximationHelpers,
  ...sseConversionHelpers,
  ...sseControlHelpers,
};
