/**
 * Operations on v128 values that rows may ask a `Builder` for. Their names and meanings are those of the
 * instructions of WebAssembly (core specification, section 4.3, "vector instructions"), with `_` for the dot, so that
 * a builder that emits WebAssembly looks the opcode up and is done.
 *
 * The text behind each name is its signature: `v` a v128, `i` an i32, `l` an i64, result behind the arrow. Counts of
 * shifts are taken modulo the width of the lane.
 */
const LANES = {
  i8x16_eq: 'vv>v',
  i8x16_gt_s: 'vv>v',
  i16x8_eq: 'vv>v',
  i16x8_gt_s: 'vv>v',
  i32x4_eq: 'vv>v',
  i32x4_gt_s: 'vv>v',
  i64x2_eq: 'vv>v',
  i64x2_gt_s: 'vv>v',
  i8x16_add: 'vv>v',
  i8x16_add_sat_s: 'vv>v',
  i8x16_add_sat_u: 'vv>v',
  i8x16_sub: 'vv>v',
  i8x16_sub_sat_s: 'vv>v',
  i8x16_sub_sat_u: 'vv>v',
  i8x16_min_u: 'vv>v',
  i8x16_max_u: 'vv>v',
  i8x16_avgr_u: 'vv>v',
  i8x16_abs: 'v>v',
  i16x8_add: 'vv>v',
  i16x8_add_sat_s: 'vv>v',
  i16x8_add_sat_u: 'vv>v',
  i16x8_sub: 'vv>v',
  i16x8_sub_sat_s: 'vv>v',
  i16x8_sub_sat_u: 'vv>v',
  i16x8_mul: 'vv>v',
  i16x8_min_s: 'vv>v',
  i16x8_max_s: 'vv>v',
  i16x8_avgr_u: 'vv>v',
  i16x8_abs: 'v>v',
  /** (a × b + 2^14) >> 15, saturated. */
  i16x8_q15mulr_sat_s: 'vv>v',
  i32x4_add: 'vv>v',
  i32x4_sub: 'vv>v',
  i32x4_abs: 'v>v',
  i32x4_dot_i16x8_s: 'vv>v',
  i64x2_add: 'vv>v',
  i64x2_sub: 'vv>v',
} as const;

const SHIFTS = {
  i16x8_shl: 'vi>v',
  i16x8_shr_s: 'vi>v',
  i16x8_shr_u: 'vi>v',
  i32x4_shl: 'vi>v',
  i32x4_shr_s: 'vi>v',
  i32x4_shr_u: 'vi>v',
  i64x2_shl: 'vi>v',
  i64x2_shr_u: 'vi>v',
} as const;

/** Between widths: the lower or upper half of the lanes, saturation, sums of neighbours. */
const WIDTHS = {
  i8x16_narrow_i16x8_s: 'vv>v',
  i8x16_narrow_i16x8_u: 'vv>v',
  i16x8_narrow_i32x4_s: 'vv>v',
  i16x8_extend_low_i8x16_s: 'v>v',
  i16x8_extend_high_i8x16_s: 'v>v',
  i16x8_extend_low_i8x16_u: 'v>v',
  i16x8_extend_high_i8x16_u: 'v>v',
  i16x8_extadd_pairwise_i8x16_u: 'v>v',
  i32x4_extadd_pairwise_i16x8_u: 'v>v',
  i32x4_extmul_low_i16x8_s: 'vv>v',
  i32x4_extmul_high_i16x8_s: 'vv>v',
  i32x4_extmul_low_i16x8_u: 'vv>v',
  i32x4_extmul_high_i16x8_u: 'vv>v',
  i64x2_extmul_low_i32x4_u: 'vv>v',
} as const;

const BITS = {
  v128_not: 'v>v',
  v128_and: 'vv>v',
  /** a AND NOT b: the other way round than PANDN. */
  v128_andnot: 'vv>v',
  v128_or: 'vv>v',
  v128_xor: 'vv>v',
  /** The bits of a where c has ones, of b elsewhere. */
  v128_bitselect: 'vvv>v',
  v128_any_true: 'v>i',
  i8x16_bitmask: 'v>i',
  i32x4_bitmask: 'v>i',
  i64x2_bitmask: 'v>i',
  /** Bytes of a by index; an index of 16 or more gives 0. */
  i8x16_swizzle: 'vv>v',
  i32x4_splat: 'i>v',
  i64x2_splat: 'l>v',
} as const;

/** Rounded to nearest; NaNs are any NaN: rows use them only where no NaN comes out. */
const FLOATS = {
  f32x4_add: 'vv>v',
  f32x4_sub: 'vv>v',
  f32x4_mul: 'vv>v',
  f32x4_div: 'vv>v',
  f32x4_sqrt: 'v>v',
  /** b < a ? b : a, so the other way round than MINPS; also the next. */
  f32x4_pmin: 'vv>v',
  f32x4_pmax: 'vv>v',
  f32x4_lt: 'vv>v',
  f32x4_nearest: 'v>v',
  f32x4_eq: 'vv>v',
  f64x2_add: 'vv>v',
  f64x2_sub: 'vv>v',
  f64x2_mul: 'vv>v',
  f64x2_div: 'vv>v',
  f64x2_sqrt: 'v>v',
  f64x2_pmin: 'vv>v',
  f64x2_pmax: 'vv>v',
  f64x2_lt: 'vv>v',
  f64x2_nearest: 'v>v',
  f64x2_eq: 'vv>v',
  f64x2_promote_low_f32x4: 'v>v',
  f32x4_demote_f64x2_zero: 'v>v',
  f32x4_convert_i32x4_s: 'v>v',
  f64x2_convert_low_i32x4_s: 'v>v',
  i32x4_trunc_sat_f32x4_s: 'v>v',
  i32x4_trunc_sat_f64x2_s_zero: 'v>v',
} as const;

export const VECTOR_OPERATIONS = { ...LANES, ...SHIFTS, ...WIDTHS, ...BITS, ...FLOATS } as const;

export type VectorOperation = keyof typeof VECTOR_OPERATIONS;
/** On the lowest lanes only. */
export type LowestOperation = 'add' | 'sub' | 'mul' | 'div' | 'sqrt';
/** Bits of a lane. */
export type LaneWidth = 8 | 16 | 32 | 64;
