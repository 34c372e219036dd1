/**
 * How many questions are left: those open at the server, for whomever, plus those held here.
 * Where the server has none for this person, those held are all. Between two readings of the
 * server's count, what we lease and hear of moves it along.
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

  /** Null where it is not known, or where nothing is held and nothing to be had. */
  count(held: number, dry: boolean): number | null {
    if (dry) return held > 0 ? held : null;
    return this.open === null ? null : Math.max(0, this.open + this.sinceRead) + held;
  }
}
