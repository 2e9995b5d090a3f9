/** Memory of what is known of one message before its body, of a whole that all messages share. */
export interface MessageRoom {
  /**
   * The message takes so many bytes in all by now. A promise where other processes are asked.
   * @throws an error when they are not to be had; what was taken before stays taken
   */
  grow(bytes: number): void | Promise<void>;
  /** Gives all of it back. May be called again. */
  release(): void;
}
