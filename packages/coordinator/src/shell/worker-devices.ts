import type { WorkerDevice, WorkerHeartbeat, WorkerStatus } from "@mzsr/shared";

/** What workers tell of their GPUs and batches in heartbeats: for people alone, so the core does not know of it. */
export class WorkerDevices {
  #newest = new Map<string, WorkerDevice>();

  hear({ worker, gpu, batches }: WorkerHeartbeat): void {
    if (gpu === undefined && batches === undefined) this.#newest.delete(worker);
    else this.#newest.set(worker, { ...(gpu && { gpu }), ...(batches && { batches }) });
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
