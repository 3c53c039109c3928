/**
 * A decoded instruction, `RECORD_BYTES` (32) in the arena. A block is a run of records that ends with one
 * that leaves it. Records know no absolute address: a block serves every linear address that maps to it.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | u16 | handler: index in the interpreter's table, of this instruction or of it and the next one (pairs.ts) |
 * | 2 | u16 | start: first byte of the instruction, relative to the block's |
 * | 4 | u16 | next: first byte behind it |
 * | 6 | u16 | reg: state offset of the register operand, or a plain number (segment, ST(i) …) |
 * | 8 | u16 | rm: the same for the r/m operand when it is a register |
 * | 10 | u16 | base: state offset of the base register (`STATE.zero`: none) |
 * | 12 | u16 | index: likewise |
 * | 14 | u8 | scale: shift of the index, 0…3 |
 * | 15 | u8 | segment: 0…5 |
 * | 16 | i32 | addressMask: −1, or 0xffff for 16-bit addressing |
 * | 20 | i32 | displacement; second immediate of ENTER; selector of a far pointer |
 * | 24 | i32 | immediate, as wide as the operand; relative displacement |
 * | 28 | u16 | remaining: instructions of the block from this one on (0 in the record that only leaves) |
 * | 30 | u16 | form: index in `Forms.list`, for tracing |
 */
export const RECORD = {
  handler: 0,
  start: 2,
  next: 4,
  reg: 6,
  rm: 8,
  base: 10,
  index: 12,
  scale: 14,
  segment: 15,
  addressMask: 16,
  displacement: 20,
  immediate: 24,
  remaining: 28,
  form: 30,
} as const;

/**
 * In the record that leaves a block: address in linear memory of the page the block was decoded from; 0 if it was
 * decoded from two.
 */
export const BLOCK_PAGE = 16;
