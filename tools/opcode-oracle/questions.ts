/** Opcodes worth asking about: the maps behind 0F, the x87, and groups of the one-byte map. */

export interface Opcode {
  readonly bytes: readonly number[];
  /** Such as `66 0f38 f0 /2 mem`. */
  readonly name: string;
}

const PREFIXES: readonly (readonly number[])[] = [
  [],
  [0x66],
  [0xf2],
  [0xf3],
  [0xf0],
  [0x66, 0xf2],
  [0x66, 0xf3],
  [0x66, 0xf0],
];
/** One-byte opcodes with ModRM of which not every form exists. Others exist in 32-bit mode alone, or are complete. */
const GROUPS = [
  ...[0x00, 0x01, 0x02, 0x03, 0x38, 0x39, 0x3a, 0x3b, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b],
  ...[0x80, 0x81, 0x83, 0x8c, 0x8d, 0x8e, 0x8f, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff],
  ...[0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0x69, 0x6b],
];
/** [edi], and every register. */
const AT_EDI = 7;

const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** System calls, calls of a hypervisor, and what takes the ground from under the program that asks. */
function isDangerous(map: readonly number[], opcode: number, modrm: number, prefix: readonly number[]): boolean {
  if (map.length !== 1) return false;
  const digit = (modrm >> 3) & 7;
  if ([0x05, 0x07, 0x34, 0x35].includes(opcode)) return true;
  if (opcode === 0x01) return modrm >= 0xc0 && digit !== 4 && digit !== 6;
  // WRFSBASE and friends
  return opcode === 0xae && modrm >= 0xc0 && digit < 4 && prefix.includes(0xf3);
}

function* modrms(all: boolean): Generator<number> {
  for (let digit = 0; digit < 8; digit++) yield (digit << 3) | AT_EDI;
  for (let modrm = 0xc0; modrm < 0x100; modrm++) if (all || (modrm & 7) === 1) yield modrm;
}

function* opcodes(): Generator<Opcode> {
  const maps = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
  for (const map of maps) {
    const list = map.length === 0 ? GROUPS : Array.from({ length: 256 }, (_, opcode) => opcode);
    for (const opcode of list) {
      if (map.length === 1 && (opcode === 0x38 || opcode === 0x3a)) continue;
      const x87 = map.length === 0 && opcode >= 0xd8 && opcode < 0xe0;
      for (const prefix of PREFIXES)
        for (const modrm of modrms(x87 || (map.length === 1 && [0x01, 0xae, 0xc7].includes(opcode)))) {
          if (isDangerous(map, opcode, modrm, prefix)) continue;
          const kind = modrm >= 0xc0 ? hex(modrm) : `/${modrm >> 3} mem`;
          const name = [...prefix.map(hex), `${map.map(hex).join('')}${hex(opcode)}`, kind].join(' ');
          yield { bytes: [...prefix, ...map, opcode, modrm], name };
        }
    }
  }
}

export function allOpcodes(): Opcode[] {
  return [...opcodes()];
}
