/** A thread of this program that answers messages, as those who started it see it. */
export interface HelperThread {
  /** `message` is a structured-cloneable value; buffers in `transfer` are moved, not copied. */
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Ends it at once. Nothing is heard of it any more. */
  end(): void;
}

export interface HelperThreadEvents {
  /** In the order in which the thread has posted them. */
  message(message: unknown): void;
  /** It could not be started, or has died: nothing more will come. At most once. */
  failed(): void;
}
