/*H:430
 * Pretended instructions.
 *
 * The guest replaces nearly all of its privileged instructions by something else, but drivers still probe for
 * hardware with IN and OUT, and one library routine uses CLI. There is no hardware: a read gives ones, as from a bus
 * with nothing on it, a write goes nowhere, and a CLI, which in this machine means nothing, is stepped over. All other
 * privileged instructions are the guest's mistake and come back to it as a general protection fault.
 *
 * One more is ours: debuggers make the guest's single-step handler read DR6, which kernels before 3.12 do with the
 * real instruction. The original killed them for it; we answer.
 */

/** What an instruction does: `registers[register] = value`, EIP += length. */
export interface Emulation {
  /** Bytes, prefix included. */
  readonly length: number;
  /** Register number in encoding order; EAX if absent. */
  readonly register?: number;
  /** New value of the whole 32-bit register, unsigned. */
  readonly value: number;
}

const EAX = 0;
const OPERAND_SIZE_PREFIX = 0x66;

/**
 * Decodes the instruction whose bytes `fetch(0)`, `fetch(1)` … gives (−1: no such byte) and says what it does;
 * undefined for all that the Host does not pretend. At most one prefix is understood (lguest-abi.md §5.8).
 */
export function emulateInstruction(
  fetch: (offset: number) => number,
  registers: ArrayLike<number>,
  dr6: number,
): Emulation | undefined {
  let length = 0;
  const wordSized = fetch(0) === OPERAND_SIZE_PREFIX;
  if (wordSized) length = 1;
  const opcode = fetch(length++);
  const eax = registers[EAX]!;
  switch (opcode) {
    case 0xe4: // in al, imm8
      return fetch(length) < 0 ? undefined : { length: length + 1, value: allOnes(eax, 1) };
    case 0xe5: // in eax, imm8
      return fetch(length) < 0 ? undefined : { length: length + 1, value: allOnes(eax, wordSized ? 2 : 4) };
    case 0xec: // in al, dx
      return { length, value: allOnes(eax, 1) };
    case 0xed: // in eax, dx
      return { length, value: allOnes(eax, wordSized ? 2 : 4) };
    case 0xe6: // out imm8, al
    case 0xe7: // out imm8, eax
      return fetch(length) < 0 ? undefined : { length: length + 1, value: eax };
    case 0xee: // out dx, al
    case 0xef: // out dx, eax
    case 0xfa: // cli
      return { length, value: eax };
    case 0x0f: {
      // mov r32, dr6: 0F 21, ModRM 11 110 reg
      const modrm = fetch(length + 1);
      if (wordSized || fetch(length) !== 0x21 || (modrm & 0xf8) !== 0xf0) return undefined;
      return { length: length + 2, register: modrm & 7, value: dr6 };
    }
    default:
      return undefined;
  }
}

/** EAX after a read of `size` bytes from a port where nothing is. */
function allOnes(eax: number, size: 1 | 2 | 4): number {
  if (size === 1) return (eax | 0xff) >>> 0;
  return size === 2 ? (eax | 0xffff) >>> 0 : 0xffff_ffff;
}
/*:*/
