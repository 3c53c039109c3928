import { sharedEngine } from '../cpu/engine.js';
import { BUILT, type Platform } from '../platform/platform.js';

/**
 * Gives the processor the modules that the build has emitted, which takes a fifth of a second otherwise, and has it
 * compile those that a machine needs which does translate, or does not.
 */
export async function useBuiltModules(platform: Platform, translated: boolean): Promise<void> {
  const [interpreter, x87] = await Promise.all(
    [BUILT.interpreter, BUILT.x87].map((name) => platform.readBuilt?.(name)),
  );
  const engine = sharedEngine(interpreter && x87 && { interpreter, x87 });
  engine.module(translated);
  engine.x87Module();
}
