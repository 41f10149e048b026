import { RunError } from "@mzsr/mzsr";

/**
 * What `work` gives, unless that takes too long: some of JetStream's operations wait for ever for what is gone.
 * @throws RunError after `seconds`
 */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RunError(`${what} took more than ${seconds} s`)), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
