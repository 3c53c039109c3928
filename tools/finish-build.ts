/** What the build does when everything is compiled (`ensure-built.mjs`): it makes starts short. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedEngine } from '../src/cpu/engine.js';
import { BUILT } from '../src/platform/platform.js';
import { writeBundles } from './bundle.js';

const BUNDLES = 'dist/bundle';
const MODULES = 'dist/built';

for (const folder of [BUNDLES, MODULES]) mkdirSync(folder, { recursive: true });
await writeBundles('dist/src/launcher/main.js', BUNDLES);
const { interpreter, x87 } = sharedEngine().emit();
writeFileSync(join(MODULES, BUILT.interpreter), interpreter);
writeFileSync(join(MODULES, BUILT.x87), x87);
