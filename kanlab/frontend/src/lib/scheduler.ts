/** Gathers what changed and tells the panels once per animation frame; a flood of messages costs one drawing. */

export type Topic =
  | "state"
  | "frame"
  | "detail"
  | "formula"
  | "front"
  | "comparison"
  | "pending"
  | "connection"
  | "view"
  | "probe"
  | "pictures";
export type Changes = ReadonlySet<Topic>;

export interface Scheduler {
  touch(topic: Topic): void;
  /** `listener` runs in the next animation frame after a `touch`. */
  listen(listener: (changes: Changes) => void): void;
  stop(): void;
}

export function createScheduler(
  request: (callback: () => void) => number,
  cancel: (handle: number) => void,
): Scheduler {
  const listeners: ((changes: Changes) => void)[] = [];
  let changed = new Set<Topic>();
  let handle: number | null = null;
  let stopped = false;

  function flush(): void {
    handle = null;
    const changes = changed;
    changed = new Set();
    for (const listener of listeners) listener(changes);
  }

  return {
    touch(topic) {
      if (stopped) return;
      changed.add(topic);
      handle ??= request(flush);
    },
    listen: (listener) => void listeners.push(listener),
    stop() {
      stopped = true;
      if (handle !== null) cancel(handle);
      listeners.length = 0;
    },
  };
}
