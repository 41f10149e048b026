/** Entry of the thread that enlarges the photos of `mzsr studio`, in memory. It tells what it does in StudioEvents, as JSON. */
import { workerData } from "node:worker_threads";
import { estimateInWords } from "../photos/kernel-source.js";
import {
  type EnlargeSettings,
  enlargeFile,
  type PhotoReport,
  type TaskListener,
} from "../photos/upscale/enlarge-file.js";
import { PhotoComputers } from "../photos/upscale/photo-computers.js";
import { serveTasks } from "../threads/serve-tasks.js";
import type { StudioEvent } from "./studio-events.js";

export interface StudioTask {
  /** Of the file, as the page says it. */
  readonly name: string;
  /** The file. */
  readonly bytes: Uint8Array;
}

export interface StudioAnswer {
  readonly report: PhotoReport;
  /** The result, a PNG. */
  readonly bytes: Uint8Array;
  /** Bicubic interpolation and the result side by side, a PNG. */
  readonly comparison: Uint8Array;
}

const settings = workerData as EnlargeSettings;
const computers = new PhotoComputers(settings);
computers.begin();

serveTasks<StudioTask, StudioAnswer>(async ({ name, bytes }, note) => {
  const written: { result?: Uint8Array; comparison?: Uint8Array } = {};
  const streams = {
    read: async () => bytes,
    write: async (result: Uint8Array) => void Object.assign(written, { result }),
    writeComparison: async (comparison: Uint8Array) => void Object.assign(written, { comparison }),
  };
  const task = { input: { name, under: "" }, output: { format: "png" }, comparison: { format: "png" } } as const;
  try {
    const report = await enlargeFile(
      task,
      settings,
      listenerFor((event) => note(JSON.stringify(event))),
      streams,
    );
    return { report, bytes: written.result!, comparison: written.comparison! };
  } catch (thrown) {
    await computers.endThreads();
    throw thrown;
  }
});

function listenerFor(tell: (event: StudioEvent) => void): TaskListener {
  const say = (text: string, share?: number) =>
    tell({ type: "progress", text, ...(share === undefined ? {} : { share }) });
  let blur: string | undefined;
  // The estimate in words stands beside its picture.
  const note = (text: string) => text !== blur && tell({ type: "note", text });
  return {
    note,
    ready: (photo) => {
      say(`${photo.width}×${photo.height} pixels`);
      return computers.for(photo, note);
    },
    kernel: ({ kernel, estimate }) => {
      blur = estimate === undefined ? kernel.name : estimateInWords(estimate);
      tell({ type: "kernel", words: blur, size: kernel.size, values: [...kernel.data] });
    },
    phase: (name) => say(name),
    step: ({ step, updates }) => say(`adapting, step ${step} of ${updates}`, step / updates),
    rows: ({ done, of }) => say("enlarging", done / of),
    computed: (photo) => computers.makeRoom(photo),
  };
}
