/** The network's tensors as most other programs keep them: kernels OIHW instead of HWIO. */
import { axesReversed, type Model, type NamedTensor, parameterLayout } from "@mzsr/mzsr";

/**
 * Names follow PyTorch's habit: `conv1.weight` [out, in, 3, 3], `conv1.bias` [out], …
 */
export function channelsFirstTensors({ architecture, parameters }: Model): (NamedTensor & { data: Float32Array })[] {
  return parameterLayout(architecture).entries.map(({ name, shape, offset, size }) => {
    const data = parameters.slice(offset, offset + size);
    const renamed = name.replace("/kernel", ".weight").replace("/bias", ".bias");
    if (shape.length !== 4) return { name: renamed, shape, data };
    const [height, width, inputs, outputs] = shape as [number, number, number, number];
    return {
      name: renamed,
      shape: [outputs, inputs, height, width],
      data: axesReversed(data, [height * width, inputs, outputs]),
    };
  });
}
