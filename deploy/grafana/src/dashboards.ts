import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { clusterDashboard } from "./cluster.js";
import { fleetDashboard } from "./fleet.js";
import { gpuDashboard } from "./gpu.js";
import { trainingDashboard } from "./training.js";

/** Every dashboard, by the name of its file. */
export function dashboards(): Record<string, Dashboard> {
  return { training: trainingDashboard(), cluster: clusterDashboard(), fleet: fleetDashboard(), gpu: gpuDashboard() };
}

/** A dashboard as its file holds it. */
export function dashboardText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
