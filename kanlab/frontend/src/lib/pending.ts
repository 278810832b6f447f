/** Values that a person has set and the kernel has not confirmed yet: until then they are what is shown. */

interface Pending {
  value: unknown;
  /** The command that carries the value; null while it waits for the next animation frame. */
  command: number | null;
  since: number;
}

/** After this long a `state` of the kernel overrules: the answer was lost, or the kernel started anew. */
const AT_MOST = 4000;

export class PendingValues {
  private readonly values = new Map<string, Pending>();

  constructor(private readonly now: () => number) {}

  set(key: string, value: unknown, command: number | null = null): void {
    this.values.set(key, { value, command, since: this.now() });
  }

  has(key: string): boolean {
    return this.values.has(key);
  }

  get(key: string): unknown {
    return this.values.get(key)?.value;
  }

  /** The values that no command carries yet. */
  unsent(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.values].filter(([, { command }]) => command === null).map(([key, { value }]) => [key, value]),
    );
  }

  sent(command: number): void {
    for (const pending of this.values.values()) pending.command ??= command;
  }

  /** The command is done: forget its values, and say which they were. */
  settle(command: number): [key: string, value: unknown][] {
    const settled = [...this.values].filter(([, pending]) => pending.command === command);
    for (const [key] of settled) this.values.delete(key);
    return settled.map(([key, { value }]) => [key, value]);
  }

  expire(): void {
    for (const [key, { since }] of this.values) if (this.now() - since > AT_MOST) this.values.delete(key);
  }
}
