/** Arithmetic in GF(256) with the polynomial of QR codes, and the Reed-Solomon remainder (ISO/IEC 18004, 7.5). */

const POLYNOMIAL = 0x11d;

/** The error correction codewords of `data`. */
export function remainder(data: readonly number[], degree: number): number[] {
  const divisor = generator(degree);
  const rest: number[] = new Array<number>(degree).fill(0);
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0);
    rest.push(0);
    divisor.forEach((coefficient, i) => {
      rest[i] = (rest[i] ?? 0) ^ multiply(coefficient, factor);
    });
  }
  return rest;
}

/** Coefficients of the generator polynomial, without the leading 1. */
function generator(degree: number): number[] {
  const result: number[] = new Array<number>(degree).fill(0);
  result[degree - 1] = 1;
  let root = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) {
      result[j] = multiply(result[j] ?? 0, root) ^ (result[j + 1] ?? 0);
    }
    root = multiply(root, 2);
  }
  return result;
}

export function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * POLYNOMIAL);
    if ((b >>> bit) & 1) product ^= a;
  }
  return product & 0xff;
}
