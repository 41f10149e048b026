import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { WeightChoice } from "@mzsr/mzsr";
import { startHttpServer } from "@mzsr/shared";
import { StopSignals } from "../cluster/stop-signals.js";
import { planKernel } from "../photos/kernel-source.js";
import { modelFile } from "../photos/model-path.js";
import { readModelFor } from "../photos/read-model-for.js";
import { SHIPPED_SCALE, shippedModel } from "../photos/shipped-model.js";
import { type BackendChoice, backendName } from "../photos/use-backend.js";
import type { Terminal } from "../progress/terminal.js";
import { StudioPhotos } from "./studio-photos.js";
import { StudioRoutes } from "./studio-routes.js";

export interface StudioOptions extends BackendChoice {
  readonly model?: string;
  readonly weights?: WeightChoice;
  readonly kernel: string;
  readonly updates: number;
  /** Default: all cores. */
  readonly threads?: number;
  readonly port: number;
}

/** This machine alone. */
const HOST = "127.0.0.1";
const SECRET_BYTES = 24;

/** `mzsr studio`. @throws InputError for a model, a kernel or a port that cannot be used */
export async function runStudio(options: StudioOptions, terminal: Terminal): Promise<void> {
  const kernel = await planKernel(options.kernel, {});
  const path = options.model === undefined ? shippedModel(SHIPPED_SCALE) : await modelFile(options.model);
  const model = await readModelFor(path, undefined, options.weights);
  const photos = new StudioPhotos({
    ...{ method: "mzsr", model, scale: model.scale, kernel, updates: options.updates },
    ...{ noise: 0, backProjection: 0, quality: undefined, force: false },
    ...{ backend: backendName(options.backend), device: options.device, gpuMemory: options.gpuMemory },
    threads: options.threads ?? availableParallelism(),
  });
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const signals = new StopSignals();
  const server = await startHttpServer({
    host: HOST,
    port: options.port,
    flags: { host: "127.0.0.1", port: "--port" },
    routes: new StudioRoutes(secret, photos),
    onError: (reason) => terminal.note(reason),
  });
  terminal.line(`Page http://${HOST}:${server.port}/${secret}/`);
  terminal.note("Photos dropped on it stay on this machine. Ctrl-C ends it.");
  await new Promise<void>((resolve) => signals.take(() => resolve()));
  signals.close();
  await server.stop();
  await photos.close();
}
