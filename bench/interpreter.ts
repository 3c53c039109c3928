import { EXIT } from '../src/cpu/processor.js';
import { createMachine } from '../test/cpu/machine-code.js';
import { PROGRAMS, type Program } from './machine-code-loops.js';

/**
 * `npm run bench:interpreter`: guest instructions per second on integer loops, interpreter only.
 */
const ROUNDS = 5;

function measure(program: Program): number {
  const cpu = createMachine(program.code, { memoryBytes: 1 << 21 });
  const start = process.hrtime.bigint();
  // Slices as the machine's run loop uses them: V8 replaces a function only when it is entered anew.
  while (cpu.run(1_000_000) === EXIT.budget);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (cpu.state.registers[0] !== program.result) {
    throw new Error(
      `${program.name}: eax is ${cpu.state.registers[0]}, expected ${program.result} (eip 0x${cpu.state.eip.toString(16)}, vector ${cpu.exit.vector})`,
    );
  }
  return cpu.state.retired / seconds / 1e6;
}

const rates = PROGRAMS.map(() => [] as number[]);
for (let round = 0; round < ROUNDS; round++)
  for (const [i, program] of PROGRAMS.entries()) rates[i]!.push(measure(program));
let product = 1;
PROGRAMS.forEach((program, i) => {
  const sorted = rates[i]!.sort((a, b) => a - b);
  const median = sorted[ROUNDS >> 1]!;
  product *= median;
  console.log(
    `${program.name.padEnd(24)} ${median.toFixed(0).padStart(5)} million instructions/s (${sorted[0]!.toFixed(0)}–${sorted[ROUNDS - 1]!.toFixed(0)})`,
  );
});
console.log(`${'geometric mean'.padEnd(24)} ${(product ** (1 / PROGRAMS.length)).toFixed(0).padStart(5)}`);
