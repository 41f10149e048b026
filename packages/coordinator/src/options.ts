import type { ClusterStatus, Configuration, HttpGuardOptions, NatsOptions } from "@mzsr/shared";
import type { Logger } from "pino";
import type { PreviewComputer } from "./previews/preview-writer.js";
import type { TlsOptions } from "./server/credentials.js";
import type { ValidationComputer, ValidationKernel } from "./validation/validation-computer.js";

export interface PreviewOptions {
  /** Photos that are not trained on. */
  readonly photos: readonly { readonly name: string; readonly path: string }[];
  /** Adapts and enlarges, on another thread; closed with the coordinator. */
  readonly computer: PreviewComputer;
}

export interface ValidationOptions {
  /** Paths of HR images that are not trained on. */
  readonly images: readonly string[];
  readonly kernels: readonly ValidationKernel[];
  /** Adapts and measures, in another process; closed with the coordinator. */
  readonly computer: ValidationComputer;
}

export interface HttpAccess extends HttpGuardOptions {
  /** Hosts that workers may name for their metrics, beside the address that they connect from; as `HostNames` takes them. */
  readonly metricsHosts?: readonly string[] | undefined;
}

export interface CoordinatorOptions {
  readonly configuration: Configuration;
  /** Absolute path of the run folder. */
  readonly runFolder: string;
  readonly runName: string;
  /** Paths of the training images, in any order. */
  readonly images: readonly string[];
  readonly listen: {
    /** Interface for workers. */
    readonly host: string;
    /** Interface for people and Prometheus; that of workers when not given. */
    readonly httpHost?: string | undefined;
    /** For workers; 0 takes any free port. */
    readonly grpcPort: number;
    /** For people and Prometheus; 0 takes any free port. */
    readonly httpPort: number;
    /** Connections of workers that are taken in all; 8,000 by default. */
    readonly maxConnections?: number | undefined;
  };
  /** Who is answered over HTTP, and whom Prometheus is sent to. */
  readonly http?: HttpAccess | undefined;
  /** Without it there are no heartbeats over NATS; training does not need them. */
  readonly nats?: NatsOptions | undefined;
  /** Shared secret that workers must know. */
  readonly token?: string | undefined;
  /** File that names the join tokens that were made from that secret, and those that are revoked. */
  readonly tokenList?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Go on from the newest whole checkpoint; without one, begin at step 0. */
  readonly resume: boolean;
  /** Begin in the place of the run in `runFolder`, which is deleted when everything else has started. */
  readonly replace?: boolean | undefined;
  readonly logger: Logger;
  /** Pictures of held-out photos while the run goes on; none when not given. */
  readonly previews?: PreviewOptions | undefined;
  /** What measures the run's models, where `validation.every` asks for it. */
  readonly validation?: ValidationOptions | undefined;
  /** How long a complete run may wait for the preview of its last step; half a minute by default. */
  readonly lastPreviewMs?: number | undefined;
  /** Write event files for TensorBoard into the run folder. */
  readonly tensorboard?: boolean | undefined;
  /** Stay when the run is complete, for people, Prometheus and workers that come late, until `stop`. */
  readonly stay?: boolean | undefined;
  /** Told once of a complete run that this coordinator stays for: everything of it is written. */
  readonly onStaying?: ((result: CoordinatorResult) => void) | undefined;
}

/** How a coordinator's work ended. */
export interface CoordinatorResult {
  /** The run reached its last step. */
  readonly complete: boolean;
  /** Steps done. */
  readonly step: number;
  /** The finished model, when complete. */
  readonly modelPath: string | undefined;
}

export interface RunningCoordinator {
  /** host:port for workers. */
  readonly grpcAddress: string;
  /** host:port for people. */
  readonly httpAddress: string;
  /** What a user should know of the training images: which were left out, and why. */
  readonly datasetNotes: readonly string[];
  /**
   * Resolves when everything is written and closed, with `stay` not before a stop; a complete run's last preview may take half a minute longer, and is
   * then left out; its validations take as long as they take. What fails after the model is written is logged, and the run is complete all the same.
   * Rejects with RunError when a task can never be computed, what was learned cannot be written, or the run went to
   * another coordinator.
   */
  readonly finished: Promise<CoordinatorResult>;
  /** The finished model, as soon as it stands on the disk. */
  readonly modelPath: string | undefined;
  /**
   * Finishes the step in flight, writes a checkpoint and ends. A second call does not wait for the step. One that is
   * complete leaves its last preview and what is not yet validated out.
   */
  stop(reason: string): Promise<CoordinatorResult>;
  /** Ends at once and writes nothing more: the run belongs to somebody else. */
  abandon(reason: string): Promise<void>;
  status(): ClusterStatus;
}
