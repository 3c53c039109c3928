/** Floating-point arithmetic: of the x87 on 80-bit values, and of SSE (`binary-*`) on float32 and float64. */

export * from './add.js';
export * from './arctangent.js';
export * from './binary-arithmetic.js';
export * from './binary-convert.js';
export * from './binary-float.js';
export * from './compare.js';
export * from './constants.js';
export * from './convert-decimal.js';
export * from './convert-float.js';
export * from './convert-integer.js';
export * from './divide.js';
export * from './environment.js';
export * from './examine.js';
export * from './exponential.js';
export * from './fixed-point.js';
export * from './float80.js';
export * from './logarithm.js';
export * from './multiply.js';
export * from './mxcsr.js';
export * from './operands.js';
export * from './remainder.js';
export * from './round.js';
export * from './scale.js';
export * from './square-root.js';
export * from './trigonometric.js';
