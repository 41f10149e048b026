/** What a coordinator answers over HTTP while it stands by: that it lives, and that it does not lead. */
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  askedUrl,
  COORDINATOR_FLAGS,
  HttpError,
  type HttpGuardOptions,
  type HttpServer,
  sendText,
  startHttpServer,
} from "@mzsr/shared";

export interface StandbyServerOptions {
  readonly runName: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Who is answered. */
  readonly guard?: HttpGuardOptions | undefined;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
}

/** Has the port that the run's page and metrics get when this coordinator leads; it is given back before that. */
export class StandbyServer {
  /** host:port of the leader's page; empty while nobody is known to lead. */
  leader = "";
  readonly #options: StandbyServerOptions;
  #server: HttpServer | undefined;

  constructor(options: StandbyServerOptions) {
    this.#options = options;
  }

  /** @throws InputError when the port is taken */
  async open(): Promise<void> {
    const { host, port, guard, onError } = this.#options;
    this.#server ??= await startHttpServer({ host, port, flags: COORDINATOR_FLAGS, routes: this, guard, onError });
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** @throws HttpError as the routes of a live run; 503 for all but /healthz: nobody is sent here while another leads */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (askedUrl(request).pathname === "/healthz") return sendText(response, "ok\n");
    const who = this.leader === "" ? "nobody leads it yet" : `its leader's page is http://${this.leader}`;
    throw new HttpError(503, `this coordinator stands by for the run ${this.#options.runName}; ${who}`);
  }
}
