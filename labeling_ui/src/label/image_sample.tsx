import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Picture } from "./pixels";

/** Below this many pixels a side, single pixels are shown as crisp squares. */
const SMALL = 96;

interface PngParts {
  base64: string;
  /** Whether the model sees this picture too: black where it is transparent. */
  onBlack?: boolean;
}

export function PngView({ base64, onBlack = false }: PngParts) {
  const [crisp, setCrisp] = useState(false);
  const source = base64.startsWith("data:") ? base64 : `data:image/png;base64,${base64}`;
  return (
    <img
      class={imageClass(crisp, onBlack)}
      src={source}
      alt="The sample to label"
      decoding="sync"
      onLoad={({ currentTarget: image }) =>
        setCrisp(Math.max(image.naturalWidth, image.naturalHeight) < SMALL)
      }
    />
  );
}

export function PictureView({ picture }: { picture: Picture }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, rgba } = picture;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    context?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [picture]);
  return (
    <canvas
      ref={canvas}
      class={imageClass(Math.max(width, height) < SMALL, true)}
      style={{ aspectRatio: `${width} / ${height}` }}
      width={width}
      height={height}
      role="img"
      aria-label={`The sample to label, an image of ${width} by ${height}`}
    />
  );
}

function imageClass(crisp: boolean, onBlack: boolean): string {
  return ["sample-image", crisp && "crisp", onBlack && "on-black"].filter(Boolean).join(" ");
}
