/** Why `Processor.run` returned. */
export const EXIT = { budget: 0, trap: 1, hypercall: 2, halt: 3, stop: 4 } as const;

/** Details of the last exit; one object, reused by every `run`. */
export interface Exit {
  /** One of `EXIT`. */
  reason: number;
  /** Trap: vector, 0…255. */
  vector: number;
  /** Trap: error code, 0 where the vector has none. */
  errorCode: number;
  /**
   * Trap: 'fault' (eip = the faulting instruction), 'trap' (#DB single-step, eip = the next instruction),
   * 'software' (INT n, INT3, INTO: eip = the next instruction, `instructionEip` = the instruction itself).
   */
  kind: 'fault' | 'trap' | 'software';
  /** Trap 14: linear address, unsigned. */
  cr2: number;
  /** EIP of the instruction that exited. */
  instructionEip: number;
  /** Hypercall: bytes of the instruction (3); eip = the instruction itself. */
  instructionLength: number;
}
