/**
 * What publications report, to stand beside what is measured here: means of PSNR-Y in dB, ×2.
 * A figure is entered only with the table that it was read from.
 */

export interface PublishedRow {
  readonly dataset: string;
  readonly kernel: string;
  readonly scale: number;
  /** By the method's name (`methods.ts`). */
  readonly psnrY: Readonly<Record<string, number>>;
}

export const PUBLISHED_SOURCE =
  "Soh, Cho, Cho: Meta-Transfer Learning for Zero-Shot Super-Resolution, CVPR 2020, table 1 (one model for direct, one for bicubic downsampling)";

const ROWS: readonly PublishedRow[] = [
  { dataset: "set5", kernel: "g0.2", scale: 2, psnrY: { bicubic: 30.24, "mzsr:1": 33.14, "mzsr:10": 33.74 } },
  {
    dataset: "set5",
    kernel: "g2.0",
    scale: 2,
    psnrY: { bicubic: 28.73, zssr: 34.9, "mzsr:1": 35.2, "mzsr:10": 36.05 },
  },
  { dataset: "set5", kernel: "gani", scale: 2, psnrY: { bicubic: 28.15, "mzsr:1": 34.05, "mzsr:10": 34.78 } },
  { dataset: "set5", kernel: "g1.3", scale: 2, psnrY: { bicubic: 30.54, "mzsr:1": 35.18, "mzsr:10": 36.64 } },
];

/** Data sets that publications measure on, by the ways that their folders are called. */
const KNOWN_NAMES: Readonly<Record<string, readonly string[]>> = {
  set5: ["set5"],
  set14: ["set14"],
  bsd100: ["bsd100", "bsds100", "b100"],
  urban100: ["urban100"],
};

/** The usual name of a data set, whatever its folder is called exactly; undefined for one that is not known. */
export function knownDataset(name: string): string | undefined {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return Object.keys(KNOWN_NAMES).find((known) => KNOWN_NAMES[known]!.includes(plain));
}

/** @param dataset as the user's folder is called */
export function publishedRow(dataset: string, kernel: string, scale: number): PublishedRow | undefined {
  const known = knownDataset(dataset);
  return ROWS.find((row) => row.dataset === known && row.kernel === kernel && row.scale === scale);
}
