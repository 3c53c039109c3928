/**
 * The machine cannot be started as asked. The message is a whole sentence for the person who asked: what is wrong,
 * with which file or value, and what to do.
 */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}
