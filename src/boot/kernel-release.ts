/** A Linux release as far as lguest cares: 2.6.32 is {2, 6, 32}, 4.1 is {4, 1, 0}. */
export interface KernelRelease {
  /** `2.6.32.63-guest`: the first word of the version text. */
  text: string;
  numbers: readonly [number, number, number];
}

/** Generations of the guest/Host interface (lguest-abi §1.1). */
export type Generation = 'A' | 'B1' | 'B2' | 'C1' | 'C2' | 'D1' | 'D2' | 'E1' | 'E2';

/** The release each generation begins with; the last row is the one that dropped lguest. */
const FIRST_RELEASE: readonly (readonly [readonly [number, number, number], Generation | undefined])[] = [
  [[0, 0, 0], undefined],
  [[2, 6, 23], 'A'],
  [[2, 6, 24], 'B1'],
  [[2, 6, 25], 'B2'],
  [[2, 6, 30], 'C1'],
  [[2, 6, 31], 'C2'],
  [[2, 6, 34], 'D1'],
  [[3, 1, 0], 'D2'],
  [[4, 0, 0], 'E1'],
  [[4, 1, 0], 'E2'],
  [[4, 14, 0], undefined],
];

/** Reads the release at the start of `text`, or undefined. */
export function parseRelease(text: string): KernelRelease | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5}))?[^\s]{0,64}/.exec(text);
  if (match === null) return undefined;
  return { text: match[0], numbers: [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] };
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareReleases(a: readonly [number, number, number], b: readonly [number, number, number]): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** What a guest of that release would be; undefined when Linux had no lguest then. */
export function generationOf(release: KernelRelease): Generation | undefined {
  let generation: Generation | undefined;
  for (const [first, tag] of FIRST_RELEASE) {
    if (compareReleases(release.numbers, first) >= 0) generation = tag;
  }
  return generation;
}
