/** Where a campaign lives: gone afterwards when all was well, kept for the curious when not. */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountSmallDisk, type SmallDisk } from "./disk.js";

const DISK_MEBIBYTES = 48;

export class CampaignFolder {
  readonly path: string;
  /** The attacked run's disk; undefined where none can be mounted, and `runs` is a plain folder. */
  readonly disk: SmallDisk | undefined;

  private constructor(path: string, disk: SmallDisk | undefined) {
    this.path = path;
    this.disk = disk;
  }

  static async make(): Promise<CampaignFolder> {
    const path = await mkdtemp(join(tmpdir(), "mzsr-chaos-"));
    return new CampaignFolder(path, await mountSmallDisk(join(path, "disk"), DISK_MEBIBYTES));
  }

  get data(): string {
    return join(this.path, "photos");
  }

  /** Run folders of coordinators that stand by for each other have one name. */
  attackedRun(coordinator: string): string {
    return join(this.path, "disk", coordinator, "run");
  }

  quietRun(coordinator: string): string {
    return join(this.path, "quiet", coordinator, "run");
  }

  /** For logs, caches and the configuration. */
  async clusterFolder(of: "attacked" | "quiet"): Promise<string> {
    const folder = join(this.path, of);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Keeps logs and run folders. Returns where. */
  async keep(): Promise<string> {
    await cp(join(this.path, "disk"), join(this.path, "attacked", "disk"), { recursive: true }).catch(() => undefined);
    await this.disk?.unmount();
    return this.path;
  }

  async remove(): Promise<void> {
    await this.disk?.unmount();
    await rm(this.path, { recursive: true, force: true });
  }
}
