import type { WorkerDevice, WorkerStatus } from "@mzsr/shared";
import { formatMemory, formatPercent, formatRate } from "../format.js";
import { Fact } from "./fact.js";

/** Host and backend, and the GPU where the worker told of one. */
export function machineOf({ host, backend, device }: WorkerStatus): string {
  const { name, driver } = device?.gpu ?? {};
  return [host, backend, ...(name ? [name] : []), ...(driver ? [`driver ${driver}`] : [])].join(", ");
}

/** What a GPU does, and where the time of its batches goes. */
export function DeviceFacts({ device: { gpu, batches } = {} }: { device: WorkerDevice | undefined }) {
  return (
    <>
      {gpu && (
        <>
          <Fact name="of the GPU" value={formatPercent(gpu.utilisation)} />
          <Fact name="GPU memory" value={formatMemory(gpu.memoryUsedBytes, gpu.memoryTotalBytes)} />
          {gpu.temperature !== undefined && <Fact name="GPU" value={`${Math.round(gpu.temperature)}\u00a0°C`} />}
        </>
      )}
      {batches && (
        <>
          <Fact name="tasks a batch" value={formatRate(batches.tasks)} />
          <Fact name="of a batch's time" value={sharesOf(batches.shares)} />
        </>
      )}
    </>
  );
}

function sharesOf({ data, upload, compute, readBack }: NonNullable<WorkerDevice["batches"]>["shares"]): string {
  const parts = { "waiting for data": data, upload, computing: compute, "reading back": readBack };
  return Object.entries(parts)
    .map(([part, share]) => `${formatPercent(share)} ${part}`)
    .join(", ");
}
