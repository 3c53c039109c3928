import { runWorkload } from './workload.js';

/** The work in a process of its own, for other versions of Node: its outcome as JSON on standard output. */

process.stdout.write(JSON.stringify(await runWorkload()));
