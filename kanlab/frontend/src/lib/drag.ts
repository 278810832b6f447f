/** How far a drag goes: Shift makes it fine, Alt coarse. */

interface Modifiers {
  shiftKey: boolean;
  altKey: boolean;
}

export const pace = ({ shiftKey, altKey }: Modifiers): number => (shiftKey ? 0.1 : altKey ? 5 : 1);

/** Adds up a drag's movements, each at its own pace, so that nothing jumps when a modifier is pressed on the way. */
export class Drag {
  private last: number;
  moved = 0;

  constructor(start: number) {
    this.last = start;
  }

  move(to: number, modifiers: Modifiers): number {
    this.moved += (to - this.last) * pace(modifiers);
    this.last = to;
    return this.moved;
  }
}
