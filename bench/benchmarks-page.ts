/** docs/benchmarks.md, written by `npm run bench -- --write-docs`. */
import { cpus } from 'node:os';
import type { TimeKind } from './measurements.js';
import type { Bench } from './prepare.js';

export interface PageParts {
  bench: Pick<Bench, 'descriptions' | 'missing' | 'packages' | 'kernelRelease'>;
  rounds: number;
  time: TimeKind;
  /** Markdown (report.ts). */
  tables: string;
  /** Sentences about memory, missed targets and results that differ. */
  remarks: readonly string[];
  /** E.g. `AMD EPYC, 2 processors`. */
  computer: string;
  nodeVersion: string;
  /** ISO 8601. */
  date: string;
}

export function renderBenchmarksPage(parts: PageParts): string {
  const { bench, rounds, time, tables, remarks, computer, nodeVersion, date } = parts;
  const clock =
    time === 'wall' ? 'real time' : 'processor time of the whole process, because the computer had other work';
  const contestants = [...bench.descriptions].map(([name, description]) => `- **${name}**: ${description}\n`);
  const packages = [...bench.packages].map(([name, version]) => `${name} ${version}`).join(', ');
  return `# Benchmarks

Written by \`npm run bench -- --write-docs\` ([how it measures](development.md#the-comparison)). ${date}, ${computer}, Node ${nodeVersion}. ${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}, ${clock}. Guests: Linux ${bench.kernelRelease}, 128 MB.

${contestants.join('')}${bench.missing.map((text) => `- ${text}\n`).join('')}
${tables}
## Remarks

${remarks.map((text) => `- ${text}\n`).join('') || 'None.\n'}
Debian's packages: ${packages || 'none'}.
`;
}

export function describeComputer(): string {
  const all = cpus();
  const count = all.length === 1 ? 'one processor' : `${all.length} processors`;
  return `${all[0]?.model.trim() ?? process.arch}, ${count}`;
}
