/** QR codes, model 2: byte mode, level M, versions 1 to 10 (ISO/IEC 18004). */

import { remainder } from './field.ts';
import { Grid } from './grid.ts';

/** Level M of each version: error correction codewords of a block, and numbers of blocks. */
const LEVEL_M: readonly (readonly [correction: number, blocks: number])[] = [
  [10, 1], [16, 1], [26, 1], [18, 2], [24, 2], [16, 4], [18, 4], [22, 4], [22, 5], [26, 5],
];

/** All codewords of each version, data and error correction. */
const CODEWORDS: readonly number[] = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346];

/** The modules of a code, by row; true: dark. Without the quiet zone. Throws where `text` is too long. */
export function qrCode(text: string): boolean[][] {
  const bytes = [...new TextEncoder().encode(text)];
  const version = smallest(bytes.length);
  const words = interleaved(version, dataWords(version, bytes));
  let best: Grid | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 8; mask++) {
    const grid = new Grid(version);
    grid.place(words, mask);
    const penalty = grid.penalty();
    if (penalty < least) [best, least] = [grid, penalty];
  }
  return (best as Grid).rows();
}

/** Bytes of text that fit a version. */
export function capacity(version: number): number {
  return dataCount(version) - (version < 10 ? 2 : 3);
}

function smallest(length: number): number {
  for (let version = 1; version <= LEVEL_M.length; version++) {
    if (length <= capacity(version)) return version;
  }
  throw new RangeError(`${length} bytes are too many for a code of version ${LEVEL_M.length}`);
}

function levels(version: number): readonly [number, number] {
  return LEVEL_M[version - 1] as readonly [number, number];
}

function dataCount(version: number): number {
  const [correction, blocks] = levels(version);
  return (CODEWORDS[version - 1] as number) - correction * blocks;
}

function dataWords(version: number, bytes: number[]): number[] {
  const bits: number[] = [];
  const push = (value: number, count: number) => {
    for (let bit = count - 1; bit >= 0; bit--) bits.push((value >>> bit) & 1);
  };
  const most = dataCount(version) * 8;
  push(0b0100, 4);
  push(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) push(byte, 8);
  push(0, Math.min(4, most - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < most; pad ^= 0xec ^ 0x11) push(pad, 8);
  const words: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    words.push(bits.slice(i, i + 8).reduce((word, bit) => (word << 1) | bit, 0));
  }
  return words;
}

/** Data in blocks with their error correction, taken in turn: first words of all blocks, second words, … */
function interleaved(version: number, data: number[]): number[] {
  const [correction, count] = levels(version);
  const short = Math.floor(data.length / count);
  // The last blocks are one word longer where it does not come out even.
  const longer = data.length % count;
  const blocks: number[][] = [];
  for (let i = 0, from = 0; i < count; i++) {
    const length = short + (i >= count - longer ? 1 : 0);
    blocks.push(data.slice(from, from + length));
    from += length;
  }
  const turns = (all: number[][], length: number) => {
    const words: number[] = [];
    for (let i = 0; i < length; i++) {
      for (const block of all) {
        const word = block[i];
        if (word !== undefined) words.push(word);
      }
    }
    return words;
  };
  const corrections = blocks.map((block) => remainder(block, correction));
  return [...turns(blocks, short + 1), ...turns(corrections, correction)];
}
