/**
 * How many questions are left for this person: those open at the server plus those held here.
 * Between two readings of the server's count, what we lease and hear of moves it along.
 */
export class Remaining {
  private open: number | null = null;
  private sinceAsked = 0;
  private sinceRead = 0;

  /** The server's count is being read; what happens from now on may not be in it. */
  asked(): void {
    this.sinceAsked = 0;
  }

  read(open: number): void {
    this.open = open;
    this.sinceRead = this.sinceAsked;
  }

  leased(count: number): void {
    this.sinceAsked -= count;
    this.sinceRead -= count;
  }

  opened(): void {
    this.sinceAsked += 1;
    this.sinceRead += 1;
  }

  count(held: number): number | null {
    return this.open === null ? null : Math.max(0, this.open + this.sinceRead) + held;
  }
}
