/** One photo in this thread, with its progress shown. */
import { InputError, LARGEST_IMAGE_FILE_BYTES, messageOf, RunError } from "@mzsr/mzsr";
import { PhotoProgress } from "../../progress/photo-progress.js";
import { ProgressLine } from "../../progress/progress-line.js";
import type { Terminal } from "../../progress/terminal.js";
import {
  type EnlargeSettings,
  enlargeFile,
  type PhotoReport,
  type PhotoTask,
  type StandardStreams,
  type TaskListener,
} from "./enlarge-file.js";
import type { PhotoComputers } from "./photo-computers.js";
import type { UpscaleReport } from "./upscale-report.js";

/** @param count which of several it is, for people */
export async function enlargeHere(
  task: PhotoTask,
  settings: EnlargeSettings,
  computers: PhotoComputers,
  report: UpscaleReport,
  terminal: Terminal,
  count = "",
): Promise<PhotoReport> {
  let progress: PhotoProgress | undefined;
  const listener: TaskListener = {
    note: (text) => {
      progress?.clear();
      report.noteOn(task, text);
    },
    phase: (name) => progress?.phase(name),
    step: (step) => progress?.step(step),
    rows: (rows) => progress?.rows(rows),
    computed: (photo) => computers.makeRoom(photo),
    ready: async (photo) => {
      const computing = await computers.for(photo, listener.note);
      const title = `${task.input.name}${count}: ${photo.width}×${photo.height}, backend ${computing.backend}`;
      if (!report.quiet) progress = new PhotoProgress(new ProgressLine(terminal, title));
      return computing;
    },
  };
  try {
    return await enlargeFile(task, settings, listener, standardStreams(terminal));
  } catch (thrown) {
    await computers.endThreads();
    throw thrown;
  } finally {
    progress?.done();
  }
}

function standardStreams(terminal: Terminal): StandardStreams {
  return {
    read: readStandardInput,
    write: async (bytes) => {
      await terminal.bytes(bytes).catch((thrown: unknown) => {
        throw new RunError(`standard output cannot be written (${messageOf(thrown)})`, { cause: thrown });
      });
    },
  };
}

/** @throws InputError when there is nothing, or more than an image file may have */
async function readStandardInput(): Promise<Uint8Array> {
  const where = "standard input";
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= LARGEST_IMAGE_FILE_BYTES) continue;
    throw new InputError(`has more than ${LARGEST_IMAGE_FILE_BYTES} bytes`, { where, expected: "one image file" });
  }
  if (length === 0) throw new InputError("is empty", { where, expected: "an image file" });
  return Buffer.concat(chunks);
}
