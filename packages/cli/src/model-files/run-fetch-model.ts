import { decodeModel, InputError, LARGEST_MODEL_BYTES, messageOf, RunError, scalesInWords } from "@mzsr/mzsr";
import type { Terminal } from "../progress/terminal.js";
import { checkOutputFile } from "./output-file.js";

export interface FetchModelOptions {
  readonly from: string;
  readonly run?: string;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** How long an answer may begin to come; the model itself may take as long as it takes. */
const ANSWER_MS = 30_000;

/** `mzsr fetch-model`. @throws InputError, RunError */
export async function runFetchModel(options: FetchModelOptions, terminal: Terminal): Promise<void> {
  const address = addressOf(options);
  const output = await checkOutputFile(options.output, {
    extensions: [".safetensors"],
    force: options.force === true,
    inputs: [],
  });
  const bytes = await download(address);
  const model = decodeModel(bytes, address.href);
  await output.write(bytes);
  if (options.json === true) terminal.json({ output: output.path, bytes: bytes.length, scale: model.scale });
  else terminal.line(`${output.path}: ${bytes.length} bytes, enlarges ${scalesInWords(model)} times`);
}

function addressOf({ from, run }: FetchModelOptions): URL {
  const page = URL.canParse(from) ? new URL(from) : undefined;
  if (page === undefined || !/^https?:$/.test(page.protocol)) {
    throw new InputError("is not the address of a page", { where: `--from ${from}`, expected: "http://HOST:7701" });
  }
  const address = new URL("/model.safetensors", page);
  if (run !== undefined) address.searchParams.set("run", run);
  return address;
}

async function download(address: URL): Promise<Uint8Array> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(new Error("no answer")), ANSWER_MS);
  try {
    const response = await fetch(address, { signal: waiting.signal }).catch((thrown: unknown) => {
      throw new InputError(`no coordinator answers at ${address.origin} (${reasonOf(thrown)})`, {
        expected: "the address of a coordinator's page in --from",
      });
    });
    clearTimeout(timer);
    if (!response.ok) throw refused(address, response.status, (await response.text()).trim());
    if (Number(response.headers.get("content-length") ?? 0) > LARGEST_MODEL_BYTES) {
      throw new RunError(`${address}: what is there is larger than any model`);
    }
    return new Uint8Array(await response.arrayBuffer());
  } catch (thrown) {
    if (thrown instanceof InputError || thrown instanceof RunError) throw thrown;
    throw new RunError(`${address}: broke off (${reasonOf(thrown)})`);
  } finally {
    clearTimeout(timer);
  }
}

/** A run that is not finished, or not there: the coordinator's own words where it said any. */
function refused(address: URL, status: number, body: string): RunError {
  const said = /^\{"error":(".*")\}$/.exec(body)?.[1];
  return new RunError(`${address}: ${said === undefined ? `HTTP ${status}` : JSON.parse(said)}`);
}

/** fetch hides the reason in the cause. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown);
}
