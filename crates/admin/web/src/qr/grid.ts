/** Where the modules of a QR code lie: patterns, format, data, masks (ISO/IEC 18004, 6 and 7.7 to 7.10). */

/** Centres of the alignment patterns of each version. */
const ALIGNMENT: readonly (readonly number[])[] = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50],
];

/** Level M, as the format information writes it. */
const LEVEL_BITS = 0b00;

/** Whether a mask turns the module of a row and column. */
const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (r, c) => (r + c) % 2 === 0,
  (r) => r % 2 === 0,
  (_, c) => c % 3 === 0,
  (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0,
  (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
];

export class Grid {
  readonly size: number;
  private readonly dark: boolean[][];
  /** Modules that do not belong to the data. */
  private readonly fixed: boolean[][];

  constructor(private readonly version: number) {
    this.size = 17 + 4 * version;
    const empty = () => Array.from({ length: this.size }, () => new Array<boolean>(this.size).fill(false));
    this.dark = empty();
    this.fixed = empty();
    this.patterns();
  }

  rows(): boolean[][] {
    return this.dark;
  }

  /** Lays the codewords out, and turns them by `mask`. */
  place(words: readonly number[], mask: number): void {
    const turned = MASKS[mask] as (row: number, column: number) => boolean;
    let bit = 0;
    for (let right = this.size - 1; right > 0; right -= 2) {
      // The vertical timing pattern is passed over as a whole column.
      if (right === 6) right = 5;
      const upwards = ((right + 1) & 2) === 0;
      for (let i = 0; i < this.size; i++) {
        const row = upwards ? this.size - 1 - i : i;
        for (const column of [right, right - 1]) {
          if (this.is(this.fixed, row, column)) continue;
          const word = words[bit >>> 3] ?? 0;
          const value = bit < words.length * 8 && ((word >>> (7 - (bit & 7))) & 1) === 1;
          this.put(row, column, value !== turned(row, column), false);
          bit++;
        }
      }
    }
    this.format(mask);
  }

  /** How hard it is to read: the less, the better (7.8.3). */
  penalty(): number {
    const columns = this.dark.map((_, c) => this.dark.map((row) => row[c] ?? false));
    const lines = [...this.dark, ...columns];
    const runs = lines.reduce((sum, line) => sum + runPenalty(line) + finderPenalty(line), 0);
    return runs + this.blockPenalty() + this.balancePenalty();
  }

  private patterns(): void {
    for (let i = 0; i < this.size; i++) {
      this.put(6, i, i % 2 === 0);
      this.put(i, 6, i % 2 === 0);
    }
    const last = this.size - 4;
    for (const [row, column] of [[3, 3], [3, last], [last, 3]] as const) this.finder(row, column);
    const centres = ALIGNMENT[this.version - 1] ?? [];
    const end = centres.length - 1;
    centres.forEach((row, i) =>
      centres.forEach((column, j) => {
        // Three corners belong to the finders.
        const corner = (i === 0 && j === 0) || (i === 0 && j === end) || (i === end && j === 0);
        if (!corner) this.alignment(row, column);
      }),
    );
    this.format(0);
    if (this.version >= 7) this.versionInformation();
  }

  private finder(row: number, column: number): void {
    for (let r = -4; r <= 4; r++) {
      for (let c = -4; c <= 4; c++) {
        const ring = Math.max(Math.abs(r), Math.abs(c));
        this.put(row + r, column + c, ring !== 2 && ring !== 4);
      }
    }
  }

  private alignment(row: number, column: number): void {
    for (let r = -2; r <= 2; r++) {
      for (let c = -2; c <= 2; c++) this.put(row + r, column + c, Math.max(Math.abs(r), Math.abs(c)) !== 1);
    }
  }

  private format(mask: number): void {
    const data = (LEVEL_BITS << 3) | mask;
    const bits = ((data << 10) | checked(data, 10, 0x537)) ^ 0x5412;
    const at = (i: number) => ((bits >>> i) & 1) === 1;
    for (let i = 0; i <= 5; i++) this.put(i, 8, at(i));
    this.put(7, 8, at(6));
    this.put(8, 8, at(7));
    this.put(8, 7, at(8));
    for (let i = 9; i < 15; i++) this.put(8, 14 - i, at(i));
    for (let i = 0; i < 8; i++) this.put(8, this.size - 1 - i, at(i));
    for (let i = 8; i < 15; i++) this.put(this.size - 15 + i, 8, at(i));
    this.put(this.size - 8, 8, true);
  }

  private versionInformation(): void {
    const bits = (this.version << 12) | checked(this.version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const [far, near] = [this.size - 11 + (i % 3), Math.floor(i / 3)];
      const value = ((bits >>> i) & 1) === 1;
      this.put(near, far, value);
      this.put(far, near, value);
    }
  }

  private put(row: number, column: number, value: boolean, fixed = true): void {
    const [dark, kept] = [this.dark[row], this.fixed[row]];
    if (!dark || !kept || column < 0 || column >= this.size) return;
    dark[column] = value;
    if (fixed) kept[column] = true;
  }

  private is(grid: boolean[][], row: number, column: number): boolean {
    return grid[row]?.[column] ?? false;
  }

  private blockPenalty(): number {
    let sum = 0;
    for (let r = 0; r + 1 < this.size; r++) {
      for (let c = 0; c + 1 < this.size; c++) {
        const first = this.is(this.dark, r, c);
        const same =
          this.is(this.dark, r, c + 1) === first &&
          this.is(this.dark, r + 1, c) === first &&
          this.is(this.dark, r + 1, c + 1) === first;
        if (same) sum += 3;
      }
    }
    return sum;
  }

  private balancePenalty(): number {
    const dark = this.dark.flat().filter(Boolean).length;
    const percent = (dark * 100) / (this.size * this.size);
    return Math.floor(Math.abs(percent - 50) / 5) * 10;
  }
}

/** The remainder of a BCH code of `degree`. */
function checked(data: number, degree: number, polynomial: number): number {
  let rest = data;
  for (let i = 0; i < degree; i++) rest = (rest << 1) ^ ((rest >>> (degree - 1)) * polynomial);
  return rest;
}

/** Five of a colour and more. */
function runPenalty(line: readonly boolean[]): number {
  let [sum, run] = [0, 0];
  line.forEach((value, i) => {
    run = i > 0 && value === line[i - 1] ? run + 1 : 1;
    if (run === 5) sum += 3;
    else if (run > 5) sum += 1;
  });
  return sum;
}

/** What looks like a finder pattern: 1011101 with four light ones on a side. */
function finderPenalty(line: readonly boolean[]): number {
  const text = line.map((value) => (value ? '1' : '0')).join('');
  let sum = 0;
  for (let i = 0; i + 11 <= text.length; i++) {
    const part = text.slice(i, i + 11);
    if (part === '10111010000' || part === '00001011101') sum += 40;
  }
  return sum;
}
