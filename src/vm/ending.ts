/** Why a machine has come to its end. */
export type EndingReason =
  /** The guest powered off. */
  | 'power-off'
  /** The Host killed the guest (or the guest its own kernel: a panic). `text` is the original's. */
  | 'killed'
  | 'instruction-limit'
  | 'time-limit'
  /** The guest sleeps, no timer runs, and no input can come any more; only found when a limit is set. */
  | 'asleep'
  /** `VirtualMachine.stop` was called. */
  | 'stopped';

export interface Ending {
  reason: EndingReason;
  /** One line without a line end; for 'killed' one of lguest-abi.md, Appendix A. */
  text: string;
  /** 0…255: what the guest wants its machine's user to see as its exit status, if it has said so. */
  exitStatus?: number | undefined;
}
