/*G:000
 * The Guest
 *
 * An operating system that runs under lguest is an almost normal one: nearly everything it does, it does itself, at
 * full speed, in ring 1. Only what would need ring 0 it asks the Host for. This part of the book is such a system,
 * with everything left out that is not about the asking: no processes, no files, no drivers but a console. What it
 * does instead is to try out every promise of the Host and print whether it was kept.
 *
 * It is written in assembly language, like the place where Linux begins under lguest, and translated by an assembler
 * of our own (guest/assembler). A semicolon begins a comment; `mov a, b` stores b in a; brackets mean memory.
 */
import { type Assembly, assemble } from './assembler/index.js';
import type { Expectation } from './cases/case.js';
import { CASES, isInAll, renderCases, SHARED_ROUTINES } from './cases/index.js';
import { consoleDriver } from './chapters/console-driver.js';
import { constants, hypercallMacros, testMacros } from './chapters/constants.js';
import { descriptors, lguestEntry, lguestInit, startup } from './chapters/entry.js';
import { gates, handlers, irqEnable, lguestIret, patchTemplates } from './chapters/interrupts.js';
import { lguestData } from './chapters/lguest-data.js';
import { bootTables, kernelTables, programs } from './chapters/page-tables.js';
import { choosing, greeting, preparing, running, storm } from './chapters/runner.js';
import { ring, talking, time } from './chapters/services.js';
import { definesOf, VARIANTS, type VariantName } from './variants.js';

export type { Expectation } from './cases/case.js';
export { VARIANTS, type Variant, type VariantName } from './variants.js';

/** One case as whoever runs it sees it. */
export interface ConformanceCase {
  readonly id: string;
  readonly title: string;
  readonly variants: readonly VariantName[];
  readonly expected: Expectation;
  /** Further words for the command line. */
  readonly arguments: readonly string[];
  /** What must be given from outside: the initrd of T03, a key, or an override of the detection. */
  readonly needs: 'initrd' | 'input' | 'override' | undefined;
  /** Left out when there is a storm. */
  readonly countsInterrupts: boolean;
  /** `case=all` runs it. */
  readonly inAll: boolean;
}

/** Every case, in the order in which `case=all` runs them. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = CASES.map((each) => ({
  id: each.id,
  title: each.title,
  variants: VARIANTS.filter((variant) => each.on?.(variant) ?? true).map((variant) => variant.name),
  expected: each.expected ?? 'pass-line',
  arguments: each.arguments ?? [],
  needs: each.needs,
  inAll: isInAll(each),
  countsInterrupts: each.countsInterrupts === true,
}));

/** The guest of one dialect, with its symbols. */
export function assembleConformanceGuest(name: VariantName): Assembly {
  const variant = VARIANTS.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`there is no variant ${name}`);
  const chapters: Readonly<Record<string, string>> = {
    constants,
    hypercallMacros,
    testMacros,
    startup,
    lguestEntry,
    lguestInit,
    descriptors,
    lguestData,
    bootTables,
    kernelTables,
    programs,
    patchTemplates,
    irqEnable,
    lguestIret,
    gates,
    handlers,
    ring,
    time,
    talking,
    consoleDriver,
    choosing,
    running,
    preparing,
    storm,
    greeting,
    sharedRoutines: SHARED_ROUTINES,
    cases: renderCases(variant),
  };
  const sources = Object.entries(chapters).map(([chapter, text]) => ({ name: chapter, text }));
  return assemble(sources, { defines: definesOf(variant), entry: 'startup_32' });
}

/** The guest of one dialect as an ELF executable for the Launcher. */
export function buildConformanceGuest(name: VariantName): Uint8Array {
  return assembleConformanceGuest(name).elf;
}
