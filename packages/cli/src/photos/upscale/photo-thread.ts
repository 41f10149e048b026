/** Entry of a thread that enlarges photos, one after the other. */
import { workerData } from "node:worker_threads";
import { MinuteLine } from "../../progress/minute-line.js";
import { PhotoProgress } from "../../progress/photo-progress.js";
import { serveTasks } from "../../threads/serve-tasks.js";
import { type EnlargeSettings, enlargeFile, type PhotoReport, type PhotoTask } from "./enlarge-file.js";
import { PhotoComputers } from "./photo-computers.js";

const settings = workerData as EnlargeSettings;
const computers = new PhotoComputers(settings);
computers.begin();

/** Photos from and to standard streams are not given to threads. */
const noStream = () => Promise.reject(new Error("a thread has no standard streams"));

serveTasks<PhotoTask, PhotoReport>(async (task, note) => {
  const progress = new PhotoProgress(new MinuteLine(note));
  const ready = (photo: { readonly width: number; readonly height: number }) => computers.for(photo, note);
  const computed = computers.makeRoom.bind(computers);
  const listener = {
    ...{ note, ready, computed },
    phase: progress.phase.bind(progress),
    step: progress.step.bind(progress),
    rows: progress.rows.bind(progress),
  };
  try {
    return await enlargeFile(task, settings, listener, { read: noStream, write: noStream });
  } catch (thrown) {
    await computers.endThreads();
    throw thrown;
  }
});
