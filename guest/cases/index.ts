import type { Variant } from '../variants.js';
import { bootCases } from './boot.js';
import type { CaseSource } from './case.js';
import { deviceCases, deviceRoutines } from './devices.js';
import { hypercallCases } from './hypercalls.js';
import { interruptCases, interruptRoutines } from './interrupts.js';
import { memoryCases } from './memory.js';
import { trapCases } from './traps.js';

/** All cases, in the order in which they run. */
export const CASES: readonly CaseSource[] = [
  ...bootCases,
  ...hypercallCases,
  ...trapCases,
  ...interruptCases,
  ...memoryCases,
  ...deviceCases,
];

/** Source text of what several cases share. */
export const SHARED_ROUTINES = interruptRoutines + deviceRoutines;

/** Whether a case is among those that `case=all` runs (T03 only if there is an initrd). */
export function isInAll(each: CaseSource): boolean {
  const endsNormally = each.expected === undefined || each.expected === 'pass-line';
  return endsNormally && each.alone !== true && (each.needs === undefined || each.needs === 'initrd');
}

/** The routines and the table of the cases that apply to `variant`. */
export function renderCases(variant: Variant): string {
  const present = CASES.filter((each) => each.on?.(variant) ?? true);
  const routines = present.map((each) => `case_${each.id}:\n${each.code}\n`).join('\n');
  const rows = present.map((each) => {
    const flags = [
      ...(isInAll(each) ? ['IN_ALL'] : []),
      ...(each.stage === 'early' ? ['BEFORE_HELLO'] : []),
      ...(each.needs === 'initrd' ? ['NEEDS_INITRD'] : []),
      ...(each.countsInterrupts === true ? ['COUNTS_INTERRUPTS'] : []),
    ];
    return `    dd name_${each.id}, case_${each.id}, ${flags.join(' | ') || '0'}, title_${each.id}\n`;
  });
  const texts = present.map((each) => `name_${each.id}: db "${each.id}", 0\ntitle_${each.id}: db "${each.title}", 0\n`);
  return `section .text\n${routines}\nsection .data\nalign 4\ncase_table:\n${rows.join('')}    dd 0, 0, 0, 0\n${texts.join('')}`;
}
