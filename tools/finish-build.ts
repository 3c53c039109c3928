/** What the build does when everything is compiled (`ensure-built.mjs`): it makes starts short. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sharedEngine } from '../src/cpu/engine.js';
import { BUILT } from '../src/platform/platform.js';
import { writeBundle } from './bundle.js';

const BUNDLES = 'dist/bundle';
const MODULES = 'dist/built';

for (const folder of [BUNDLES, MODULES]) mkdirSync(folder, { recursive: true });
writeBundle(resolve('dist/src/launcher/main.js'), resolve(BUNDLES));
const { interpreter, x87 } = sharedEngine().emit();
writeFileSync(join(MODULES, BUILT.interpreter), interpreter);
writeFileSync(join(MODULES, BUILT.x87), x87);
