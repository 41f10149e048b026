/** What the help of the commands that take a kernel says of it. */

/** Of `--center-kernel`. */
export const CENTER_KERNEL = "move the kernel's centre of mass into its middle; takes kernels of even side too";

/** How the weights of a kernel meet the pixels: two programs that differ in this lose decibels and say nothing. */
export const KERNEL_CONVENTIONS = `
Kernels:
  A .mat file (MATLAB 5, save -v7) has one matrix, one called kernel, or name it: k.mat:NAME, 'k.mat:CELLS{3}'.
  Weights are correlated with the large image, not convolved: the weight right of the middle meets the pixel on the
  right. Turn a kernel that was made for convolution by half (rot90(k, 2) in MATLAB, k[::-1, ::-1] in NumPy).
  The middle weight, row and column (n + 1) / 2 of n counted from 1, belongs to the pixel itself. A kernel of even side
  has no middle weight and needs --center-kernel, which also mends a kernel whose centre of mass lies elsewhere.
`;
