import type { Helper } from './context.js';
import { softwareInterruptHelpers } from './software-interrupts.js';

/** Every helper that instruction rows may call, by name. */
export const HELPERS: Readonly<Record<string, Helper>> = {
  ...softwareInterruptHelpers,
};
