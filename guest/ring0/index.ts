/**
 * The ring-0 test kernel: task state, gates, paging and faults at ring 0, checked from inside (issue: ring-0
 * conformance). A Multiboot kernel that prints one line for each check on the serial port. It judges nothing: its
 * output on one machine is compared with that on another.
 */
import { type Assembly, assemble } from '../assembler/index.js';
import { type Check, renderChecks } from './check.js';
import { data, header } from './framework.js';
import { INTERRUPT_CHECKS } from './interrupts.js';
import { PAGING_CHECKS } from './paging.js';
import { SEGMENT_CHECKS, segmentRoutines } from './segments.js';
import { TASK_CHECKS } from './tasks.js';

/** In the order of the output. */
export const RING0_CHECKS: readonly Check[] = [
  ...SEGMENT_CHECKS,
  ...INTERRUPT_CHECKS,
  ...PAGING_CHECKS,
  ...TASK_CHECKS,
];

/** What the kernel writes to the debug-exit port at the end. */
export const RING0_EXIT = 0x10;

export function assembleRing0Kernel(): Assembly {
  return assemble(
    [
      { name: 'framework', text: header },
      { name: 'routines', text: segmentRoutines },
      { name: 'checks', text: renderChecks(RING0_CHECKS) },
      { name: 'data', text: data },
    ],
    { entry: 'start' },
  );
}
