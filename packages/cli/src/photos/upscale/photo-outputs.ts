/** Where the results of `mzsr upscale` go: `-o` as a file, a folder or standard output, or beside the photo. */
import { basename, dirname, extname, join, parse, resolve } from "node:path";
import { IMAGE_FORMATS, type ImageFormat, InputError, imageFormatOf, OUTPUT_EXTENSIONS } from "@mzsr/mzsr";
import { exists, isFolder } from "../../path-kind.js";
import { type PhotoInput, type PhotoInputs, resultSuffix, STANDARD_STREAM } from "./photo-inputs.js";

export interface OutputChoice {
  /** As typed after `-o`. */
  readonly output: string | undefined;
  readonly format: ImageFormat | undefined;
  readonly scale: number;
}

export interface PhotoOutput {
  /** Undefined for standard output. */
  readonly path?: string | undefined;
  readonly format: ImageFormat;
}

/** Where every photo's result goes, or why it has no place. */
export interface PlannedPhoto {
  readonly input: PhotoInput;
  readonly output: PhotoOutput;
  /** Another photo whose result has the same name. */
  readonly taken?: string;
}

/** @throws InputError when several results would go into one file, or a file's name does not say a format */
export async function planOutputs({ photos, several }: PhotoInputs, choice: OutputChoice): Promise<PlannedPhoto[]> {
  const target = await targetOf(choice, several);
  const firstOf = new Map<string, string>();
  return photos.map((input) => {
    const output = outputFor(input, target, choice);
    if (output.path === undefined) return { input, output };
    const place = resolve(output.path);
    const taken = firstOf.get(place);
    if (taken !== undefined) return { input, output, taken };
    firstOf.set(place, input.name);
    return { input, output };
  });
}

/** The folder that results go into, where `-o` names one. */
export async function resultFolder(
  { output }: Pick<OutputChoice, "output">,
  several: boolean,
): Promise<string | undefined> {
  if (output === undefined || output === STANDARD_STREAM) return undefined;
  return several || /[\\/]$/.test(output) || (await isFolder(output)) ? output : undefined;
}

type Target = { readonly folder: string } | { readonly file: string } | "stream" | "beside";

async function targetOf({ output, format }: OutputChoice, several: boolean): Promise<Target> {
  if (output === undefined) return "beside";
  const where = `-o ${output}`;
  if (output === STANDARD_STREAM) {
    if (!several) return "stream";
    throw new InputError("several results do not go into one stream", { where, expected: "one photo, or a folder" });
  }
  const folder = await resultFolder({ output }, several);
  if (folder !== undefined) {
    if ((await exists(folder)) && !(await isFolder(folder))) {
      throw new InputError("is a file", { where, expected: "a folder for the results of several photos" });
    }
    if (!(await exists(folder)) && imageFormatOf(folder) !== undefined) {
      throw new InputError("is the name of one file", {
        where,
        expected: "a folder for the results of several photos",
      });
    }
    return { folder };
  }
  const named = imageFormatOf(output);
  if (named === undefined) {
    const extension = extname(output);
    const expected = `a folder, or a name that ends with ${OUTPUT_EXTENSIONS.join(", ")}`;
    throw new InputError(`cannot write ${extension === "" ? "a file without extension" : extension}`, {
      where,
      expected,
    });
  }
  if (format !== undefined && format !== named) {
    throw new InputError(`says ${IMAGE_FORMATS[named].title}, --format says ${IMAGE_FORMATS[format].title}`, { where });
  }
  return { file: output };
}

function outputFor(input: PhotoInput, target: Target, { format = "png", scale }: OutputChoice): PhotoOutput {
  if (target === "stream") return { format };
  if (typeof target !== "string" && "file" in target) return { path: target.file, format: imageFormatOf(target.file)! };
  if (target === "beside" && input.path === undefined) return { format };
  const extension = IMAGE_FORMATS[format].extensions[0]!;
  const name = `${input.path === undefined ? "stdin" : parse(basename(input.path)).name}${resultSuffix(scale)}${extension}`;
  return {
    path: target === "beside" ? join(dirname(input.path!), name) : join(target.folder, input.under, name),
    format,
  };
}
