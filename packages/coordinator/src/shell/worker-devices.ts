import type { WorkerDevice, WorkerHeartbeat, WorkerStatus } from "@mzsr/shared";

/** Workers that are remembered until the status is asked for next; of more, those that were heard longest ago are forgotten. */
const MOST_DEVICES = 16_384;

/** What workers tell of their GPUs and batches in heartbeats: for people alone, so the core does not know of it. */
export class WorkerDevices {
  #newest = new Map<string, WorkerDevice>();

  hear({ worker, gpu, batches }: WorkerHeartbeat): void {
    this.#newest.delete(worker);
    if (gpu === undefined && batches === undefined) return;
    this.#newest.set(worker, { ...(gpu && { gpu }), ...(batches && { batches }) });
    const [longestAgo] = this.#newest.keys();
    if (this.#newest.size > MOST_DEVICES) this.#newest.delete(longestAgo!);
  }

  /** The same workers, each connected one with what it told; what strangers told is forgotten. */
  addTo(workers: readonly WorkerStatus[]): readonly WorkerStatus[] {
    if (this.#newest.size === 0) return workers;
    const kept = new Map<string, WorkerDevice>();
    const told = workers.map((worker) => {
      const device = this.#newest.get(worker.worker);
      if (device === undefined || (worker.state !== "active" && worker.state !== "draining")) return worker;
      kept.set(worker.worker, device);
      return { ...worker, device };
    });
    this.#newest = kept;
    return told;
  }
}
