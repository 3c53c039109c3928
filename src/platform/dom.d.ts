/** What browsers have and the types of Node leave out, although Node has it too. */
declare module 'worker_threads' {
  interface MessagePort {
    onmessage: ((event: { data: unknown }) => void) | null;
  }
}
export {};
