import { type Downsampling, type LoadedKernel, loadKernel, PAPER_KERNELS } from "@mzsr/mzsr";

export interface KernelChoice {
  readonly kernel: LoadedKernel;
  readonly downsampling: Downsampling;
}

/**
 * The kernel that a user names, and the downsampling that goes with it: what the user says, else what the paper tests
 * that kernel with, else direct.
 * @param options `centerKernel` moves the centre of mass of a kernel from a file into its middle
 * @throws InputError when there is no such kernel
 */
export async function chooseKernel(
  name: string,
  downsampling?: Downsampling,
  { centerKernel }: { readonly centerKernel?: boolean | undefined } = {},
): Promise<KernelChoice> {
  const kernel = await loadKernel(name, { centre: centerKernel });
  const papers = Object.hasOwn(PAPER_KERNELS, name)
    ? PAPER_KERNELS[name as keyof typeof PAPER_KERNELS].downsampling
    : undefined;
  return { kernel, downsampling: downsampling ?? papers ?? "direct" };
}
