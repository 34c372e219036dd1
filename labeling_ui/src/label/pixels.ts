/** Numbers to a picture: RGBA bytes, row by row. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** Nested lists H×W or H×W×C of 0…255; null if they are anything else. */
export function pictureFromNested(data: unknown): Picture | null {
  if (!Array.isArray(data) || !Array.isArray(data[0])) return null;
  const rows = data as unknown[][];
  const width = rows[0]!.length;
  const picture = blank(width, rows.length);
  rows.forEach((row, y) =>
    row.forEach((cell, x) => {
      const channels = (Array.isArray(cell) ? cell : [cell]).map(Number);
      paint(picture, y * width + x, channels);
    }),
  );
  return picture;
}

/** A flat vector of any range shown as an image of the given shape, dark for the least value. */
export function pictureFromVector(values: readonly number[], shape: readonly number[]) {
  const [height = 0, width = 0, depth = 1] = shape;
  if (width * height * depth !== values.length || values.length === 0) return null;
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + Number.EPSILON);
  const picture = blank(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const channels = values.slice(pixel * depth, (pixel + 1) * depth);
    paint(
      picture,
      pixel,
      channels.map((value) => ((value - low) / (high - low)) * 255),
    );
  }
  return picture;
}

function blank(width: number, height: number): Picture {
  return { width, height, rgba: new Uint8ClampedArray(width * height * 4) };
}

function paint({ rgba }: Picture, pixel: number, channels: readonly number[]): void {
  const [first = 0, second = first, third = first, alpha = 255] = channels;
  rgba.set(
    channels.length === 2 ? [first, first, first, second] : [first, second, third, alpha],
    pixel * 4,
  );
}
