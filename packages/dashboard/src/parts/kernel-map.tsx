import type { PreviewImage } from "@mzsr/shared";
import { useEffect, useRef } from "preact/hooks";

/** A blur kernel as a heat map; the square root of each weight, so that its tails are seen. */
export function KernelMap({ kernel: { size, values } }: { kernel: PreviewImage["kernel"] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = context.createImageData(size, size);
    const greatest = Math.max(...values, Number.MIN_VALUE);
    values.forEach((value, at) => {
      pixels.data.set(heat(Math.sqrt(Math.max(0, value) / greatest)), 4 * at);
    });
    context.putImageData(pixels, 0, 0);
  }, [size, values]);
  return (
    <canvas
      ref={canvas}
      width={size}
      height={size}
      role="img"
      aria-label={`Blur kernel, ${size} by ${size}`}
      title={`Blur kernel, ${size} × ${size}`}
    />
  );
}

/** Dark blue through the page's blue to white. */
const STOPS = [
  [18, 22, 38],
  [45, 70, 160],
  [120, 160, 245],
  [255, 255, 255],
] as const;

function heat(share: number): [number, number, number, number] {
  const position = share * (STOPS.length - 1);
  const below = Math.min(STOPS.length - 2, Math.floor(position));
  const part = position - below;
  const channel = (at: 0 | 1 | 2) => STOPS[below]![at] * (1 - part) + STOPS[below + 1]![at] * part;
  return [channel(0), channel(1), channel(2), 255];
}
