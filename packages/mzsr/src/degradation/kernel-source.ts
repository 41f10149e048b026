import { InputError } from "../errors.js";
import { readInputFile } from "../files/input-file.js";
import { type CheckedKernel, checkedKernel, checkKernelShape, type KernelTreatment } from "./checked-kernel.js";
import { type BlurKernel, gaussianKernel, PAPER_KERNELS } from "./kernel.js";
import { type MatVariable, parseMat } from "./mat-file.js";
import { type Matrix, parseNpy } from "./npy-file.js";

/** A kernel that a user named, ready for use. */
export interface LoadedKernel extends BlurKernel {
  /** The text that named it. */
  readonly name: string;
  /** What was done to it that the user should know. */
  readonly notes: readonly string[];
}

/** A kernel of the largest side is 30 KB; this leaves room for what else a research file holds. */
const LARGEST_FILE_BYTES = 16 * 1024 * 1024;
const EXPECTED = `${Object.keys(PAPER_KERNELS).join(", ")}, gauss:λ1,λ2,θ, or a .mat or .npy file`;
/** Of matrices that an error lists. */
const NAMES_SHOWN = 6;

/**
 * The kernel that `source` names: a paper kernel, `gauss:λ1,λ2,θ` (variances in HR pixels², radians), a `.mat` file
 * (MATLAB 5; its only matrix, the one called `kernel`, or the one named after a colon: `file.mat:name`, `file.mat:cell{3}`)
 * or a `.npy` file. A kernel is correlated with the image, and its middle weight belongs to the pixel itself.
 * @throws InputError when there is no such kernel or it cannot be used
 */
export async function loadKernel(source: string, treatment: KernelTreatment = {}): Promise<LoadedKernel> {
  const { kernel, notes } = await resolve(source, treatment);
  return { ...kernel, name: source, notes };
}

async function resolve(source: string, treatment: KernelTreatment): Promise<CheckedKernel> {
  if (Object.hasOwn(PAPER_KERNELS, source)) {
    return { kernel: gaussianKernel(PAPER_KERNELS[source as keyof typeof PAPER_KERNELS]), notes: [] };
  }
  if (source.startsWith("gauss:")) return { kernel: parseGaussian(source), notes: [] };
  const matrix = await readMatrix(source);
  // Before its weights are converted: they may be very many.
  checkKernelShape(matrix.rows, matrix.columns, source, treatment);
  return checkedKernel(matrix.data, matrix.rows, matrix.columns, source, treatment);
}

/** The file that `source` reads a kernel from, without the name of a matrix; undefined where no file is named. */
export function kernelFile(source: string): string | undefined {
  return namedFile(source)?.path;
}

function namedFile(source: string): { path: string; kind: string; name: string | undefined } | undefined {
  const [, path, extension, name] = /^(.*\.(mat|npy))(?::([^/:]+))?$/is.exec(source) ?? [];
  return path === undefined ? undefined : { path, kind: extension!.toLowerCase(), name };
}

async function readMatrix(source: string): Promise<Matrix> {
  const file = namedFile(source);
  if (file === undefined) throw new InputError(`unknown kernel '${source}'`, { expected: EXPECTED });
  const { path, kind, name } = file;
  const bytes = await readInputFile(path, `a .${kind} file with a kernel`, LARGEST_FILE_BYTES);
  if (kind === "mat") return chosenMatrix(parseMat(bytes, path), name, path);
  if (name === undefined) return parseNpy(bytes, path);
  throw new InputError(`a .npy file has no '${name}'`, { where: path, expected: "its name alone: it holds one array" });
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

function chosenMatrix(variables: readonly MatVariable[], name: string | undefined, where: string): MatVariable {
  // Scalars stand beside a kernel as its parameters.
  const matrices = variables.filter((variable) => variable.rows * variable.columns > 1);
  const wanted = name ?? "kernel";
  const named = matrices.filter((variable) => sameName(variable.name, wanted));
  const candidates = named.length === 1 || name !== undefined ? named : matrices;
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  if (matrices.length === 0) {
    throw new InputError("holds no real matrix", { where, expected: "a matrix called 'kernel'" });
  }
  const names = matrices.slice(0, NAMES_SHOWN).map((variable) => variable.name);
  const list = names.join(", ") + (matrices.length > names.length ? `, … (${matrices.length} in all)` : "");
  if (name !== undefined)
    throw new InputError(`holds no single matrix '${name}'`, { where, expected: `one of ${list}` });
  throw new InputError(`holds several matrices: ${list}`, {
    where,
    expected: `one matrix, one called 'kernel', or a choice such as ${where}:${names[0]}`,
  });
}

/** A cell's only matrix goes by the cell's name too. */
function sameName(found: string, wanted: string): boolean {
  const [name, other] = [found.toLowerCase(), wanted.toLowerCase()];
  return name === other || name === `${other}{1}`;
}
