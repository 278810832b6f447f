/** Named timers: starting one again replaces it, and all stop together. */

export class Timers {
  private readonly running = new Map<string, ReturnType<typeof setTimeout>>();

  start(name: string, delay: number, run: () => void): void {
    this.stop(name);
    const timer = setTimeout(() => {
      this.running.delete(name);
      run();
    }, delay);
    this.running.set(name, timer);
  }

  has(name: string): boolean {
    return this.running.has(name);
  }

  stop(name: string): void {
    clearTimeout(this.running.get(name));
    this.running.delete(name);
  }

  stopAll(): void {
    for (const name of [...this.running.keys()]) this.stop(name);
  }
}
