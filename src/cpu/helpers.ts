import type { Helper } from './context.js';
import { portHelpers } from './ports.js';
import { RARE_HELPERS } from './rare-helpers.js';
import { softwareInterruptHelpers } from './software-interrupts.js';

/** Every helper that instruction rows may call, by name. */
export const HELPERS: Readonly<Record<string, Helper>> = {
  ...RARE_HELPERS,
  ...portHelpers,
  ...softwareInterruptHelpers,
};
