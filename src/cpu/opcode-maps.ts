import { type Encoding, PREFIX } from '../isa/encoding.js';

/** Values of `PREFIX` but for `any`. */
const PREFIXES = 4;
/** Entries of a map, or of a table by ModRM byte. */
const BYTES = 256;

/** Number of the map of opcodes behind 0F (`map` 1), 0F38 (2) or 0F3A (3) with a prefix; that of one byte is 0. */
export function mapIndex(map: number, prefix: number): number {
  return 1 + (map - 1) * PREFIXES + prefix;
}

/**
 * Which encoding bytes belong to: the map of one-byte opcodes, then those behind 0F, 0F38 and 0F3A, each for no prefix,
 * 66, F3, F2. The tables hold numbers of 16 bits: as arrays of encodings they would take megabytes.
 */
export class OpcodeMaps {
  /** By map and opcode: number of its table by ModRM byte, from 1 on; or the negative of an entry of a table; or 0. */
  private readonly maps = new Int16Array((1 + 3 * PREFIXES) * BYTES);
  /** Tables by ModRM byte, from number 1 on: 1 more than the encoding's `id`, or 0 for none. */
  private readonly tables: Int16Array;

  /** Throws if two of them are the same bytes. */
  constructor(private readonly encodings: readonly Encoding[]) {
    const tables: Int16Array[] = [];
    for (const encoding of encodings)
      for (const map of mapsOf(encoding)) this.enter(map * BYTES + encoding.opcode, encoding, tables);
    this.tables = new Int16Array(tables.length * BYTES);
    for (const [number, table] of tables.entries()) this.tables.set(table, number * BYTES);
  }

  hasModrm(map: number, opcode: number): boolean {
    return this.maps[map * BYTES + opcode]! > 0;
  }

  /** `modrm` matters only where there is one. */
  find(map: number, opcode: number, modrm: number): Encoding | undefined {
    const entry = this.maps[map * BYTES + opcode]!;
    return this.encodings[(entry > 0 ? this.tables[(entry - 1) * BYTES + modrm]! : -entry) - 1];
  }

  /** `at`: place in the maps. */
  private enter(at: number, encoding: Encoding, tables: Int16Array[]): void {
    const { maps, encodings } = this;
    if (!encoding.hasModrm) {
      const present = encodings[-maps[at]! - 1];
      if (maps[at]! > 0 || present?.ranged === encoding.ranged)
        throw new Error(`${encoding.row.name}: opcode ${encoding.opcode.toString(16)} is taken`);
      if (!encoding.ranged || !present) maps[at] = -(encoding.id + 1);
      return;
    }
    if (maps[at] === 0) maps[at] = tables.push(new Int16Array(BYTES));
    const table = tables[maps[at]! - 1]!;
    const rm = encoding.operands[encoding.rmOperand];
    for (let modrm = 0; modrm < BYTES; modrm++) {
      if (encoding.modrm >= 0 && encoding.modrm !== modrm) continue;
      if (encoding.digit >= 0 && encoding.digit !== ((modrm >> 3) & 7)) continue;
      if (rm && !encoding.ignoresMod && encoding.modrm < 0 && !(modrm >= 0xc0 ? rm.register : rm.memory)) continue;
      const present = encodings[table[modrm]! - 1];
      if (!present || specificity(encoding) > specificity(present)) table[modrm] = encoding.id + 1;
    }
  }
}

function* mapsOf({ map, prefix }: Encoding): Generator<number> {
  if (map === 0) yield 0;
  else
    for (let each = 0; each < PREFIXES; each++) if (prefix === PREFIX.any || prefix === each) yield mapIndex(map, each);
}

/** A whole ModRM byte beats a digit, a digit beats any. */
function specificity(encoding: Encoding): number {
  return encoding.modrm >= 0 ? 2 : encoding.digit >= 0 ? 1 : 0;
}
