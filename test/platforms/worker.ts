import { runWorkload } from './workload.js';

/** A worker of a browser: does the work, tells the page. */

declare function postMessage(message: unknown): void;

/** Whether text can be made code here. The policy of the test's page forbids it. */
function evalWorks(): boolean {
  try {
    return new Function('return true')() === true;
  } catch {
    return false;
  }
}

runWorkload().then(
  (outcome) => postMessage({ outcome, evalWorks: evalWorks() }),
  (error: unknown) => postMessage({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
);
