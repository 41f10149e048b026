/**
 * Bytes as an attacker would send them: those of a whole message or file, changed in a few places. fast-check draws the
 * changes, so that a failure shrinks to the fewest and simplest that still fail.
 */
import fc from "fast-check";

/** Lengths and counts that parsers forget. */
const CURIOUS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/** Values that what expects another kind, or a smaller one, forgets. */
const CURIOUS_VALUES = [
  "null",
  "-1",
  "1e999",
  "1.5",
  "[]",
  "{}",
  "true",
  '""',
  "9007199254740993",
  '"\\u0000\\u202e"',
  `"${"x".repeat(300)}"`,
];
const VALUE = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g;
const MOST_CHANGES = 6;

type Change = (bytes: Buffer) => Buffer;

/** A place, as a share of the length, so that it means something in every seed. */
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const short = fc.uint8Array({ minLength: 1, maxLength: 12 });

function change(seeds: readonly Uint8Array[]): fc.Arbitrary<Change> {
  const at = (bytes: Buffer, share: number) => Math.floor(share * (bytes.length + 1));
  return fc.oneof(
    fc.tuple(place, fc.nat(7)).map(
      ([where, bit]): Change =>
        (bytes) => {
          const changed = Buffer.from(bytes);
          const index = at(bytes, where);
          if (index < changed.length) changed[index]! ^= 1 << bit;
          return changed;
        },
    ),
    fc.tuple(place, fc.nat(255)).map(
      ([where, value]): Change =>
        (bytes) => {
          const changed = Buffer.from(bytes);
          const index = at(bytes, where);
          if (index < changed.length) changed[index] = value;
          return changed;
        },
    ),
    fc.tuple(place, fc.constantFrom(...CURIOUS), fc.constantFrom(1, 2, 4, 8), fc.boolean()).map(
      ([where, value, width, big]): Change =>
        (bytes) => {
          const number = Buffer.alloc(8);
          if (big) number.writeBigUInt64BE(BigInt.asUintN(8 * width, BigInt(value)) << BigInt(64 - 8 * width));
          else number.writeBigUInt64LE(BigInt(value));
          const index = at(bytes, where);
          const fits = number.subarray(0, Math.min(width, bytes.length - index));
          return Buffer.concat([bytes.subarray(0, index), fits, bytes.subarray(index + fits.length)]);
        },
    ),
    // In JSON, YAML and the headers of .npy and safetensors: another value in the place of one.
    fc.tuple(place, fc.constantFrom(...CURIOUS_VALUES)).map(
      ([where, value]): Change =>
        (bytes) => {
          const said = bytes.toString("latin1");
          VALUE.lastIndex = at(bytes, where);
          const found = VALUE.exec(said);
          if (found === null) return bytes;
          return Buffer.from(said.slice(0, found.index) + value + said.slice(found.index + found[0].length), "latin1");
        },
    ),
    place.map(
      (where): Change =>
        (bytes) =>
          bytes.subarray(0, at(bytes, where)),
    ),
    fc.tuple(place, place).map(
      ([from, to]): Change =>
        (bytes) => {
          const [start, end] = [at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to))];
          return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
        },
    ),
    fc.tuple(place, short).map(
      ([where, inserted]): Change =>
        (bytes) => {
          const index = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, index), inserted, bytes.subarray(index)]);
        },
    ),
    fc.tuple(place, place, place).map(
      ([from, to, into]): Change =>
        (bytes) => {
          const piece = bytes.subarray(at(bytes, Math.min(from, to)), at(bytes, Math.max(from, to)));
          const index = at(bytes, into);
          return Buffer.concat([bytes.subarray(0, index), piece, bytes.subarray(index)]).subarray(
            0,
            4 * bytes.length + 64,
          );
        },
    ),
    fc.tuple(fc.nat(seeds.length - 1), place, place).map(
      ([other, from, into]): Change =>
        (bytes) => {
          const donor = Buffer.from(seeds[other]!);
          return Buffer.concat([bytes.subarray(0, at(bytes, into)), donor.subarray(at(donor, from))]);
        },
    ),
  );
}

/** One of the seeds with up to six changes, or a few bytes of no seed. */
export function mutants(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = fc
    .tuple(fc.nat(seeds.length - 1), fc.array(change(seeds), { minLength: 1, maxLength: MOST_CHANGES }))
    .map(([seed, changes]) => {
      const bytes = changes.reduce<Buffer>((all, each) => each(all), Buffer.from(seeds[seed]!));
      // A copy with an ArrayBuffer of its own, as bytes from a file or socket have.
      return new Uint8Array(bytes);
    });
  return fc.oneof({ weight: 30, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) });
}
