import { DECODE, Decoder, MODE } from '../../src/cpu/decoder.js';
import { Forms, type HandlerForm } from '../../src/cpu/interpreter/forms.js';

const BITS: Readonly<Record<string, number>> = { O: 0x800, S: 0x80, Z: 0x40, A: 0x10, P: 4, C: 1 };
const SHIFTS = ['shl', 'shr', 'sar', 'shld', 'shrd'];
const ROTATES = ['rol', 'ror', 'rcl', 'rcr'];

/** `cmp eax, ecx`: defines all flags. */
const DEFINE_ALL = [0x39, 0xc8];

function bitsOf(letters = ''): number {
  return [...letters].reduce((bits, letter) => bits | BITS[letter]!, 0);
}

/**
 * Follows straight code and keeps account of the flags that are undefined behind it. Where an instruction would read
 * one of them it puts another one before it that defines all.
 */
export class FlagKeeper {
  undefinedFlags = 0;
  private readonly forms = new Forms();
  private readonly decoder = new Decoder(this.forms);

  /** Takes whole instructions, returns them with what is to stand between them. */
  follow(bytes: readonly number[]): number[] {
    const code = Uint8Array.from(bytes);
    const kept: number[] = [];
    for (let at = 0; at < code.length; ) {
      const mode = MODE.code32 | MODE.stack32 | MODE.flat;
      const outcome = this.decoder.decode(code, at, code.length, mode);
      if (outcome !== DECODE.ok) throw new Error(`no whole instructions: ${bytes.join()}`);
      const { length, form, immediate } = this.decoder.decoded;
      const handler = this.forms.list[form]!;
      if ((bitsOf(handler.row.flags?.reads) & this.undefinedFlags) !== 0) {
        kept.push(...DEFINE_ALL);
        this.undefinedFlags = 0;
      }
      this.pass(handler, immediate);
      kept.push(...code.subarray(at, at + length));
      at += length;
    }
    return kept;
  }

  private pass({ row, encoding, size }: HandlerForm, immediate: number): void {
    const left = bitsOf(row.flags?.undefined);
    const shifts = SHIFTS.includes(row.name);
    // A repeated comparison may not take place at all.
    const written = row.repeat === undefined ? bitsOf(row.flags?.writes) : 0;
    if (!shifts && !ROTATES.includes(row.name)) {
      this.undefinedFlags = (this.undefinedFlags & ~written) | left;
      return;
    }
    // SDM vol. 2: OF is defined for a count of 1 alone, CF of a shift as far as the operand goes.
    const operand = encoding.operands[0]!;
    const bits = operand.size === 'v' ? size : Number(operand.size);
    const kind = encoding.operands.at(-1)!.kind;
    const count = kind === 'one' ? 1 : kind === 'fixed' ? undefined : immediate & 31;
    if (count === 0) return;
    const overflow = count === 1 ? 0 : BITS['O']!;
    const carry = shifts && row.name !== 'sar' && (count ?? 31) >= bits ? BITS['C']! : 0;
    if (count !== undefined) this.undefinedFlags &= ~written;
    this.undefinedFlags |= left | overflow | carry;
  }
}
