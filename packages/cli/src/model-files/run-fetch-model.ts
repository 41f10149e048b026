import { decodeModel, InputError, LARGEST_MODEL_BYTES, messageOf, RunError, scalesInWords } from "@mzsr/mzsr";
import { bearer, type HttpSecretOptions, httpSecretFrom } from "../cluster/http-access.js";
import type { Terminal } from "../progress/terminal.js";
import { checkOutputFile } from "./output-file.js";

export interface FetchModelOptions extends HttpSecretOptions {
  readonly from: string;
  readonly run?: string;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** How long an answer may begin to come; the model itself may take as long as it takes. */
const ANSWER_MS = 30_000;

/** Characters of an answer that are read for the coordinator's own words. */
const LONGEST_SENTENCE = 2_000;

/** `mzsr fetch-model`. @throws InputError, RunError */
export async function runFetchModel(options: FetchModelOptions, terminal: Terminal): Promise<void> {
  const address = addressOf(options);
  const output = await checkOutputFile(options.output, {
    extensions: [".safetensors"],
    force: options.force === true,
    inputs: [],
  });
  const bytes = await download(address, httpSecretFrom(options));
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

async function download(address: URL, secret: string | undefined): Promise<Uint8Array> {
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(new Error("no answer")), ANSWER_MS);
  try {
    const response = await fetch(address, { headers: bearer(secret), signal: waiting.signal }).catch(
      (thrown: unknown) => {
        throw new InputError(`no coordinator answers at ${address.origin} (${reasonOf(thrown)})`, {
          expected: "the address of a coordinator's page in --from",
        });
      },
    );
    clearTimeout(timer);
    if (!response.ok) throw refused(address, response.status, await beginningOf(response));
    return await bodyOf(response, address);
  } catch (thrown) {
    if (thrown instanceof InputError || thrown instanceof RunError) throw thrown;
    throw new RunError(`${address}: broke off (${reasonOf(thrown)})`);
  } finally {
    clearTimeout(timer);
  }
}

/** What came, read no further than a model may be large, whatever was announced. @throws RunError when there is more */
async function bodyOf(response: Response, address: URL): Promise<Uint8Array> {
  const announced = Number(response.headers.get("content-length") ?? 0);
  const parts: Uint8Array[] = [];
  let bytes = announced > LARGEST_MODEL_BYTES ? announced : 0;
  const reader = response.body!.getReader();
  try {
    while (bytes <= LARGEST_MODEL_BYTES) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(parts);
      bytes += value.length;
      parts.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  throw new RunError(`${address}: what is there is larger than any model`);
}

/** Of an answer that is no model, as much as a sentence takes. */
async function beginningOf(response: Response): Promise<string> {
  let text = "";
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString("utf8");
    if (text.length > LONGEST_SENTENCE) break;
  }
  return text.slice(0, LONGEST_SENTENCE).trim();
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
