import { EXIT } from '../src/cpu/processor.js';
import { attachTranslator } from '../test/jit/attach.js';
import { createMachine } from '../test/cpu/machine-code.js';
import { PROGRAMS, type Program } from './programs.js';

/** `npm run bench:jit`: guest instructions per second on integer loops, with the translator. */

const ROUNDS = Number(process.argv[2] ?? 5);

function measure(program: Program): { rate: number; text: string } {
  const cpu = createMachine(program.code, { memoryBytes: 1 << 21 });
  const translator = attachTranslator(cpu, { batch: 1, now: () => performance.now() });
  const start = process.hrtime.bigint();
  while (cpu.run(1_000_000) === EXIT.budget);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (cpu.state.registers[0] !== program.result) {
    throw new Error(
      `${program.name}: eax is ${cpu.state.registers[0]}, expected ${program.result} (eip 0x${cpu.state.eip.toString(16)}, vector ${cpu.exit.vector})`,
    );
  }
  return { rate: cpu.state.retired / seconds / 1e6, text: JSON.stringify(translator.statistics()) };
}

const rates = PROGRAMS.map(() => [] as number[]);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, program] of PROGRAMS.entries()) {
    const { rate, text } = measure(program);
    rates[i]!.push(rate);
    if (round === 0 && process.argv.includes('--stats')) console.log(program.name, text);
  }
}
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
