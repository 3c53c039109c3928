import { trapName } from '../debug/trace-events.js';
import type { HostStatistics } from '../host/host.js';
import type { TranslatorStatistics } from '../jit/index.js';
import type { Ending } from './ending.js';
import type { TierSeconds } from './sampler.js';

/** What the Host has counted, in the form that is shown and written. */
export interface MachineCounts {
  /** By name: calls made with an instruction, and calls left in the asynchronous ring. */
  hypercalls: Record<string, { sync: number; ring: number }>;
  /** By vector and name (`14 page fault`): all of them, and those that went on to the guest. */
  traps: Record<string, { total: number; reflected: number }>;
  /** By number: irq 0 is the timer. */
  interrupts: Record<string, number>;
}

/** What a machine has done so far: a plain value, written as it is by `--stats=FILE`. */
export interface Statistics extends MachineCounts {
  version: 1;
  board: 'lguest' | 'pc';
  /** Tag, hypercall instruction, PAE and release once LGUEST_INIT has shown them (lguest-abi.md, §1.1). */
  generation: string | undefined;
  instruction: string | undefined;
  pae: boolean | undefined;
  release: string | undefined;
  memoryMegabytes: number;
  /** How often the guest has restarted; all counts go on over restarts. */
  restarts: number;
  instructions: number;
  /** Since the start. */
  wallSeconds: number;
  /** Spent running the guest, its Host and its devices; the rest was sleep. */
  runSeconds: number;
  /** Processor time of the whole process; undefined where nobody counts it. */
  cpuSeconds: number | undefined;
  /** Instructions per second of `runSeconds`. */
  instructionsPerSecond: number;
  /** Where `runSeconds` went, estimated from where each turn ended. */
  tierSeconds: TierSeconds;
  /** What the translator did since the last restart; undefined without one. */
  translation: TranslatorStatistics | undefined;
  /** How the machine ended; undefined while it runs. */
  ending: Ending | undefined;
}

export function emptyCounts(): MachineCounts {
  return { hypercalls: {}, traps: {}, interrupts: {} };
}

/** The counts of earlier lives of the machine plus those of the present one. */
export function addStatistics(earlier: MachineCounts, present: HostStatistics): MachineCounts {
  const { hypercalls, traps, interrupts } = copyCounts(earlier);
  for (const [name, { sync, ring }] of Object.entries(present.hypercalls)) {
    const before = hypercalls[name] ?? { sync: 0, ring: 0 };
    hypercalls[name] = { sync: before.sync + sync, ring: before.ring + ring };
  }
  for (const { vector, count, reflected } of present.traps) {
    const name = trapName(vector);
    const before = traps[name] ?? { total: 0, reflected: 0 };
    traps[name] = { total: before.total + count, reflected: before.reflected + reflected };
  }
  for (const { irq, count } of present.interrupts) interrupts[irq] = (interrupts[irq] ?? 0) + count;
  return { hypercalls, traps, interrupts };
}

function copyCounts({ hypercalls, traps, interrupts }: MachineCounts): MachineCounts {
  return { hypercalls: { ...hypercalls }, traps: { ...traps }, interrupts: { ...interrupts } };
}
