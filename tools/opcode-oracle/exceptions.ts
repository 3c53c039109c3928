import type { Opcode } from './questions.js';

/** Where our processor and the recording one (AMD family 26) rightly disagree about what is an instruction. */

interface Exception {
  /** Matches names such as `66 0f38f0 /2 mem` or `f3 0fb8 c1`. */
  readonly name: RegExp;
  readonly undefinedThere: boolean;
  readonly reason: string;
}

const PREFIX = '(?:(?:66|f2|f3|f0) )*';
const ANY = '(?:/\\d mem|[c-f][0-9a-f])';

/** Instructions of later processors, whose CPUID bits ours does not set: #UD here. */
function later(opcodes: string, operands: string, reason: string): Exception {
  return { name: new RegExp(`^${PREFIX}(?:${opcodes}) ${operands}$`), undefinedThere: false, reason };
}

export const EXCEPTIONS: readonly Exception[] = [
  later('0f2b', '/\\d mem', 'SSE4a: MOVNTSS, MOVNTSD'),
  later('0f7[89]', '[c-f][0-9a-f]', 'SSE4a: EXTRQ, INSERTQ'),
  later('0fae', '/[45] mem', 'XSAVE, XRSTOR'),
  later('0fae', '/6 mem', 'XSAVEOPT, CLWB'),
  later('0fae', '/7 mem', 'CLFLUSHOPT'),
  later('0fb8', ANY, 'POPCNT'),
  later('0fc7', '/[345] mem', 'XRSTORS, XSAVEC, XSAVES'),
  later('0fc7', '[f][0-9a-f]', 'RDRAND, RDSEED, RDPID'),
  later('0f381[0457]|0f382[0-5]|0f382[89ab]|0f383[0-57-f]|0f384[01]', ANY, 'SSE4.1, SSE4.2'),
  later('0f3882', '/\\d mem', 'INVPCID'),
  later('0f38c[89a-d]|0f3acc', ANY, 'SHA'),
  later('0f38cf|0f3ac[ef]', ANY, 'GFNI'),
  later('0f38d[b-f]|0f3adf', ANY, 'AES'),
  later('0f38f[01]', ANY, 'MOVBE, CRC32'),
  later('0f38f6', ANY, 'ADX'),
  later('0f38f[89]', '/\\d mem', 'MOVDIR64B, MOVDIRI'),
  later('0f3a0[89a-e]|0f3a1[4-7]|0f3a2[0-2]|0f3a4[0-2]|0f3a6[0-3]', ANY, 'SSE4.1, SSE4.2'),
  later('0f3a44', ANY, 'PCLMULQDQ'),
  {
    name: /^(66 )?f0 0f00 \/5 mem$/,
    undefinedThere: false,
    reason: 'LOCK VERW: the manual has #UD for LOCK in front of anything that does not write memory',
  },
  {
    name: /^(66 )?f0 0f2[02] (\/0 mem|c[0-7])$/,
    undefinedThere: false,
    reason: 'LOCK MOV CR0 means CR8 on AMD processors',
  },
  {
    name: new RegExp(`^${PREFIX}0f0d [c-f][0-9a-f]$`),
    undefinedThere: true,
    reason: '0F 0D with a register is a hint NOP on Intel processors',
  },
];

/** Why the disagreement about `opcode` is right, if it is. */
export function explain({ name }: Opcode, undefinedThere: boolean): Exception | undefined {
  return EXCEPTIONS.find((exception) => exception.undefinedThere === undefinedThere && exception.name.test(name));
}
