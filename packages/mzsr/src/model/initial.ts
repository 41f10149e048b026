import { portableLog } from "../random/portable-math.js";
import { type Architecture, metaLayout } from "./layout.js";

/** A source of independent N(0, 1) numbers. */
export interface NormalDraws {
  normal(): number;
}

/** The last layer starts this much smaller, so that the residual network begins near the identity. */
const LAST_LAYER_SCALE = 0.1;

/**
 * Fresh parameters: He-normal kernels (standard deviation √(2 / fan-in)), biases 0, log rates ln(innerRate).
 *
 * @param draws where the kernels' normal numbers come from, drawn in layout order
 * @param rates with learned inner rates: how many inner steps, and the rate they start from
 * @returns float32 state in the order of `metaLayout`
 */
export function initialParameters(
  architecture: Architecture,
  draws: NormalDraws,
  rates?: { innerSteps: number; innerRate: number },
): Float32Array {
  const layout = metaLayout(architecture, rates?.innerSteps ?? 0, rates !== undefined);
  const state = new Float32Array(layout.size);
  for (const { name, shape, offset, size } of layout.entries) {
    const values = state.subarray(offset, offset + size);
    if (name.startsWith("inner_rate/")) values.fill(portableLog(rates!.innerRate));
    if (!name.endsWith("/kernel")) continue;
    const fanIn = shape[0]! * shape[1]! * shape[2]!;
    const scale = name === `conv${architecture.depth}/kernel` ? LAST_LAYER_SCALE : 1;
    for (let i = 0; i < size; i++) values[i] = draws.normal() * scale * Math.sqrt(2 / fanIn);
  }
  return state;
}
