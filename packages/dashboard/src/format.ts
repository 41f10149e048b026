/** Numbers and times as a person reads them. An unknown one is an en dash. */

const UNKNOWN = "–";
const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function formatCount(count: number | null): string {
  return count === null ? UNKNOWN : counts.format(count).replaceAll(",", "\u202f");
}

/** Three significant digits: 0.0251, 1.84e-7. */
export function formatLoss(loss: number | null): string {
  if (loss === null || !Number.isFinite(loss)) return UNKNOWN;
  if (loss === 0) return "0";
  return Math.abs(loss) < 1e-4 ? loss.toExponential(2).replace("e-", "e−") : loss.toPrecision(3);
}

/** A tick of an axis: as few digits as tell it, since its neighbours are round too. */
export function formatTick(value: number): string {
  if (value === 0) return "0";
  const short = Number(value.toPrecision(3));
  return Math.abs(short) < 1e-3 ? short.toExponential().replace("e-", "e−") : String(short);
}

/** @param share 0…1 */
export function formatPercent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return UNKNOWN;
  const percent = 100 * share;
  return `${Math.abs(percent) < 10 ? percent.toFixed(1) : percent.toFixed(0)}\u00a0%`.replace("-", "−");
}

/** Short spans, with digits enough to compare them: 84 ms, 1.24 s, 95 s. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)}\u00a0ms`;
  return `${seconds < 99.5 ? Number(seconds.toPrecision(3)) : Math.round(seconds)}\u00a0s`;
}

/** Long spans, in two units at most: 42 s, 7 min, 1 h 12 min, 2 d 4 h. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 59.5) return `${Math.max(0, Math.round(seconds))}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  if (minutes < 24 * 60) return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

export function formatDecibels(decibels: number | null): string {
  return decibels === null || !Number.isFinite(decibels) ? UNKNOWN : `${decibels.toFixed(2)}\u00a0dB`;
}

/** Per second, with digits enough for slow runs. */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond)) return UNKNOWN;
  return perSecond < 10 ? Number(perSecond.toPrecision(2)).toString() : formatCount(perSecond);
}

/** How much of a memory is used, in bytes: 1.2 of 80 GB. */
export function formatMemory(usedBytes: number, totalBytes: number): string {
  const gigabytes = (bytes: number) => Number((bytes / 1e9).toPrecision(bytes < 1e10 ? 2 : 3)).toString();
  return `${gigabytes(usedBytes)} of ${gigabytes(totalBytes)}\u00a0GB`;
}

/** Time of day, with the day when it is not today. */
export function formatClock(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = `${large}\u00a0${largeUnit}`;
  return small === 0 ? first : `${first} ${small}\u00a0${smallUnit}`;
}
