import type { BackendName, HttpGuardOptions, NatsOptions } from "@mzsr/shared";
import type { Logger } from "pino";
import type { StartedBackend } from "./compute/compute-messages.js";
import type { ClientTls } from "./session/credentials.js";

export interface WorkerOptions {
  /** host:port, or a function that finds it before every connection (a standby may have taken over). */
  readonly coordinator: string | (() => Promise<string>);
  /** Unique in a run; by default the host's name and something random. */
  readonly name?: string | undefined;
  /**
   * Tasks taken at a time; by default one per core on a CPU backend, as many as its memory does for (up to 32) on webgpu, which computes
   * them at once, and one where the backend uses the whole device.
   */
  readonly slots?: number | undefined;
  /** Cores of the machine that the worker may keep busy; by default all. */
  readonly cores?: number | undefined;
  readonly backend: BackendName | "auto";
  /** Which GPU the backend webgpu uses, from 0; by default the one that the driver prefers. */
  readonly device?: number | undefined;
  /** Bytes of the GPU's memory that the backend webgpu takes; by default most of what is free, 2 GiB where that is not known. */
  readonly gpuMemoryBytes?: number | undefined;
  /** Without NATS, heartbeats go over the session's stream. */
  readonly nats?: NatsOptions | undefined;
  /** Shared secret that the coordinator asks for. */
  readonly token?: string | undefined;
  /** TLS towards the coordinator; none by default. */
  readonly tls?: ClientTls | undefined;
  /** Reach the coordinator through the proxy that the environment names; by default its proxies are ignored. */
  readonly proxy?: boolean | undefined;
  /** Folder for images that come from the coordinator. */
  readonly cacheDir: string;
  /** Folders that may already hold the run's images. */
  readonly localImages?: readonly string[] | undefined;
  /** Port of /metrics, 0 for a free one; none is served by default. */
  readonly metricsPort?: number | undefined;
  /** Interface of /metrics; by default this machine only. */
  readonly metricsHost?: string | undefined;
  /** Who may read /metrics. */
  readonly http?: HttpGuardOptions | undefined;
  /** Seconds to look for the coordinator at the start before giving up. */
  readonly connectTimeout?: number | undefined;
  /** Decoded images that stay in memory, in bytes. */
  readonly imageMemoryBytes?: number | undefined;
  readonly logger: Logger;
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly reason: string;
  /** False when it was refused for good: another start with the same options would be refused, too. */
  readonly ok: boolean;
}

export interface RunningWorker {
  readonly name: string;
  readonly backend: StartedBackend;
  readonly slots: number;
  /** host:port of /metrics, or empty. */
  readonly metricsAddress: string;
  /**
   * Resolves when the worker has ended and everything it held is released. Rejects with a RunError when no
   * coordinator was found within `connectTimeout`, or no compute thread stays alive: another start may mend that.
   */
  readonly finished: Promise<WorkerEnd>;
  /** Hands back what is not begun, finishes what is, says goodbye. A second call does not wait for running tasks. */
  drain(reason: string): void;
}
