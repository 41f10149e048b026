/** The NATS subjects of a run (docs/design.md §5). */

/**
 * `name` as one token of a NATS subject: letters, digits, `-` and `_` stay, every other UTF-8 byte becomes `=XX`, so
 * that two names never share a subject.
 */
export function subjectToken(name: string): string {
  return Array.from(Buffer.from(name, "utf8"), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }).join("");
}

/** Where a worker's heartbeats go; without a worker, where those of all workers are heard. */
export function heartbeatSubject(run: string, worker?: string): string {
  return `mzsr.${subjectToken(run)}.heartbeat.${worker === undefined ? "*" : subjectToken(worker)}`;
}

/** The worker whose heartbeats go to `subject`; undefined for another subject. */
export function workerOfHeartbeat(run: string, subject: string): string | undefined {
  const before = `mzsr.${subjectToken(run)}.heartbeat.`;
  const token = subject.slice(before.length);
  if (!subject.startsWith(before) || !/^([A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token)) return undefined;
  try {
    return decodeURIComponent(token.replaceAll("=", "%"));
  } catch {
    return undefined;
  }
}

/** Where a run's events of one kind go (join, lost, checkpoint, …); without a kind, all of them. */
export function eventSubject(run: string, kind?: string): string {
  return `mzsr.${subjectToken(run)}.event.${kind === undefined ? "*" : subjectToken(kind)}`;
}

/** Where to ask for a run's status. */
export function statusSubject(run: string): string {
  return `mzsr.${subjectToken(run)}.status`;
}

/** Where to ask for the leader of a run whose coordinators stand by for each other: that one answers, with its record. */
export function leaderSubject(run: string): string {
  return `mzsr.${subjectToken(run)}.leader`;
}

/** Where every coordinator answers, for those who don't know the run's name. No run's own subject: those have three parts. */
export const ANY_STATUS_SUBJECT = "mzsr.status";
