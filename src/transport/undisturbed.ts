/** Does something whose error must keep no other back: it reaches the process as an uncaught one. */
export function undisturbed(action: () => void): void {
  try {
    action();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
