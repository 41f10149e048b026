import { InputError } from "../errors.js";
import { readInputFile } from "../imaging/input-file.js";
import { type BlurKernel, type CheckedKernel, checkedKernel, gaussianKernel, PAPER_KERNELS } from "./kernel.js";
import { type MatVariable, parseMat } from "./mat-file.js";
import { type Matrix, parseNpy } from "./npy-file.js";

/** A kernel that a user named, ready for use. */
export interface LoadedKernel extends BlurKernel {
  /** The text that named it. */
  readonly name: string;
  /** What was done to it that the user should know. */
  readonly notes: readonly string[];
}

const LARGEST_FILE_BYTES = 16 * 1024 * 1024;
const EXPECTED = `${Object.keys(PAPER_KERNELS).join(", ")}, gauss:λ1,λ2,θ, or a .mat or .npy file`;

/**
 * The kernel that `source` names: a paper kernel, `gauss:λ1,λ2,θ` (variances in HR pixels², radians), a `.mat` file
 * (MATLAB 5; its only matrix, or the one called `kernel`) or a `.npy` file.
 * @throws InputError when there is no such kernel or it cannot be used
 */
export async function loadKernel(source: string): Promise<LoadedKernel> {
  const { kernel, notes } = await resolve(source);
  return { ...kernel, name: source, notes };
}

async function resolve(source: string): Promise<CheckedKernel> {
  if (Object.hasOwn(PAPER_KERNELS, source)) {
    return { kernel: gaussianKernel(PAPER_KERNELS[source as keyof typeof PAPER_KERNELS]), notes: [] };
  }
  if (source.startsWith("gauss:")) return { kernel: parseGaussian(source), notes: [] };
  const extension = /\.(mat|npy)$/i.exec(source)?.[1]?.toLowerCase();
  if (extension === undefined) throw new InputError(`unknown kernel '${source}'`, { expected: EXPECTED });
  const bytes = await readInputFile(source, `a .${extension} file with a kernel`, LARGEST_FILE_BYTES);
  const matrix: Matrix = extension === "mat" ? onlyMatrix(parseMat(bytes, source), source) : parseNpy(bytes, source);
  return checkedKernel(matrix.data, matrix.rows, matrix.columns, source);
}

function parseGaussian(source: string): BlurKernel {
  const parts = source.slice("gauss:".length).split(",");
  const numbers = parts.map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (numbers.length !== 3 || !numbers.every(Number.isFinite)) {
    throw new InputError(`kernel '${source}' is not three numbers`, {
      expected: "gauss:λ1,λ2,θ, such as gauss:4,1,-0.5",
    });
  }
  const [lambda1, lambda2, theta] = numbers as [number, number, number];
  return gaussianKernel({ lambda1, lambda2, theta });
}

function onlyMatrix(variables: readonly MatVariable[], where: string): MatVariable {
  // Scalars stand beside a kernel as its parameters.
  const matrices = variables.filter((variable) => variable.data.length > 1);
  const named = matrices.filter((variable) => variable.name.toLowerCase() === "kernel");
  const candidates = named.length === 1 ? named : matrices;
  const [only] = candidates;
  if (only === undefined) throw new InputError("holds no real matrix", { where, expected: "a matrix called 'kernel'" });
  if (candidates.length > 1) {
    const names = candidates.map((variable) => variable.name).join(", ");
    throw new InputError(`holds several matrices: ${names}`, { where, expected: "one matrix, or one called 'kernel'" });
  }
  return only;
}
