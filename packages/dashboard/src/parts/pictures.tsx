import type { PreviewEntry, PreviewImage } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import type { Api } from "../data/api.js";
import type { Compared } from "../data/compared.js";
import { showable } from "../data/pictures.js";
import type { RunStore } from "../data/store.js";
import { formatCount, formatDecibels } from "../format.js";
import { KernelMap } from "./kernel-map.js";

/** Held-out pictures as the run's model makes them, with the kernel that blurred them. */
export function Pictures({ store, compared }: { store: RunStore; compared: readonly Compared[] }) {
  const images = showable(store.images.value, store.kept.value);
  /** Undefined follows the newest. */
  const chosen = useSignal<number | undefined>(undefined);
  if (images.length === 0) return isWaitedFor(store) ? <NoPicturesYet /> : null;
  const steps = [...new Set(images.flatMap(({ entries }) => entries.map(({ step }) => step)))].sort((a, b) => a - b);
  if (steps.length === 0) return null;
  const at = Math.min(chosen.value ?? steps.length - 1, steps.length - 1);
  return (
    <section class="pictures" aria-labelledby="pictures-title">
      <div class="section-head">
        <h2 id="pictures-title">What it makes of pictures it never saw</h2>
        <label class="slider">
          After step
          <input
            type="range"
            min="0"
            max={steps.length - 1}
            step="1"
            value={at}
            disabled={steps.length < 2}
            aria-valuetext={`step ${formatCount(steps[at]!)}`}
            onInput={({ currentTarget: { valueAsNumber: next } }) => {
              chosen.value = next >= steps.length - 1 ? undefined : next;
            }}
          />
          <output>{formatCount(steps[at]!)}</output>
        </label>
      </div>
      {images.map((image) => (
        <Picture
          key={image.name}
          image={image}
          step={at === steps.length - 1 ? undefined : steps[at]!}
          api={store.api}
          compared={compared}
        />
      ))}
    </section>
  );
}

/** A run that trains makes pictures sooner or later; one that is over has made those that it has. */
function isWaitedFor({ connection, status }: RunStore): boolean {
  return connection.value === "live" && status.value?.phase === "training";
}

function NoPicturesYet() {
  return (
    <section class="pictures" aria-labelledby="pictures-title">
      <h2 id="pictures-title">What it makes of pictures it never saw</h2>
      <p>
        None yet. They are made at checkpoints, by a process that gives way to the workers and takes a twentieth of the
        time: where every core is busy, the first takes minutes. The last ones are made when the run is finished.
      </p>
    </section>
  );
}

interface PictureProps {
  readonly image: PreviewImage;
  /** Undefined for the newest. */
  readonly step: number | undefined;
  readonly api: Api;
  readonly compared: readonly Compared[];
}

function Picture({ image, step, api, compared }: PictureProps) {
  const entry = entryAt(image, step);
  if (entry === undefined) return null;
  const { files, psnr } = entry;
  const others = compared.flatMap(({ store }) => {
    const same = store.images.value.find(({ name }) => name === image.name);
    const entry = same && entryAt(same, step);
    return entry === undefined ? [] : [{ store, entry }];
  });
  const updates = image.updates === 1 ? "1 step" : `${image.updates} steps`;
  return (
    <article class="picture" aria-label={image.name}>
      <header>
        <h3>{image.name}</h3>
        <dl class="psnr">
          <Change name="over bicubic" decibels={psnr.adapted - psnr.bicubic} />
          <Change name={`by ${updates}`} decibels={psnr.adapted - psnr.before} />
        </dl>
        <figure class="kernel">
          <KernelMap kernel={image.kernel} />
          <figcaption>its blur kernel</figcaption>
        </figure>
      </header>
      <ul class={others.length === 0 ? "views" : "views compared"}>
        <View
          name="Low resolution"
          note={`×${image.scale}, ${image.downsampling}`}
          src={api.picture(files.lr)}
          pixelated
        />
        <View name="Bicubic" note={formatDecibels(psnr.bicubic)} src={api.picture(files.bicubic)} />
        <View name="Adapted" note={formatDecibels(psnr.adapted)} src={api.picture(files.adapted)} strong />
        {others.map(({ store, entry }) => (
          <View
            key={store.name}
            name={store.name!}
            note={formatDecibels(entry.psnr.adapted)}
            src={store.api.picture(entry.files.adapted)}
          />
        ))}
        <View name="Original" note="high resolution" src={api.picture(files.hr)} />
      </ul>
    </article>
  );
}

/** The newest entry that is not after `step`, if that is given; the first one where all are. */
function entryAt(image: PreviewImage, step = Infinity): PreviewEntry | undefined {
  return image.entries.findLast((entry) => entry.step <= step) ?? image.entries[0];
}

interface ViewProps {
  readonly name: string;
  readonly note: string;
  readonly src: string;
  readonly pixelated?: boolean;
  readonly strong?: boolean;
}

function View({ name, note, src, pixelated, strong }: ViewProps) {
  return (
    <li class={strong ? "view strong" : "view"}>
      <img src={src} alt={`${name}, ${note}`} class={pixelated ? "pixelated" : undefined} decoding="async" />
      <p>
        <span>{name}</span> <b>{note}</b>
      </p>
    </li>
  );
}

function Change({ name, decibels }: { name: string; decibels: number }) {
  const sign = decibels >= 0 ? "+" : "−";
  return (
    <div class={decibels >= 0 ? "good" : "bad"}>
      <dt>{name}</dt>
      <dd>
        {sign}
        {formatDecibels(Math.abs(decibels))}
      </dd>
    </div>
  );
}
