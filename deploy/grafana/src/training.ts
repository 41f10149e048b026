/** Is it learning, how fast, and how long still? */
import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { frame } from "./frame.js";
import { graph, RUN, stat } from "./parts.js";

export function trainingDashboard(): Dashboard {
  return frame({
    uid: "mzsr-training",
    title: "MZSR / Training",
    description: "Is the run learning, what does adaptation gain, and how long will it take?",
  })
    .withPanel(
      stat(
        {
          title: "Progress",
          description: "Steps done of those planned, both stages.",
          normal: "rises steadily to 100 %.",
          unit: "percentunit",
          width: 4,
        },
        [{ expr: `run:mzsr_steps_done:sum{${RUN}} / run:mzsr_steps_planned:sum{${RUN}}`, legend: "" }],
        { decimals: 1 },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Steps",
          description: "Steps done in each stage.",
          normal: "pretraining comes to its end before metaTraining begins.",
          unit: "none",
          width: 5,
        },
        [{ expr: `mzsr_step{${RUN}}`, legend: "{{stage}}" }],
        { named: true },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Time left",
          description: "At the pace of the newest steps.",
          normal: "falls as fast as the clock runs; it jumps when workers come or go.",
          unit: "s",
          width: 4,
        },
        [{ expr: `mzsr_run_seconds_left{${RUN}}`, legend: "" }],
      ),
    )
    .withPanel(
      stat(
        {
          title: "Gain from adaptation",
          description: "Share of the query loss that the inner steps take away. What meta-training is for.",
          normal:
            "above 2 % after the first hundreds of meta-steps, and growing; 0 at their beginning and in pretraining.",
          unit: "percentunit",
          width: 4,
        },
        [{ expr: `avg_over_time(mzsr_adaptation_gain_ratio{${RUN}}[5m])`, legend: "" }],
        {
          decimals: 1,
          thresholds: [
            { value: null, color: "orange" },
            { value: 0.02, color: "green" },
          ],
        },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Training loss",
          description: "Mean over five minutes of the loss that the stage at work makes smaller.",
          normal: "falls, quickly at first; it jumps where meta-training takes over.",
          unit: "short",
          width: 4,
        },
        [{ expr: `run:mzsr_training_loss:avg5m{${RUN}}`, legend: "" }],
        { decimals: 4 },
      ),
    )
    .withPanel(
      stat(
        {
          title: "Steps per second",
          description: "Mean over five minutes.",
          normal: "steady while the workers are the same.",
          unit: "short",
          width: 3,
        },
        [{ expr: `sum(run:mzsr_meta_steps:rate5m{${RUN}})`, legend: "" }],
      ),
    )
    .withRow(new RowBuilder("Losses"))
    .withPanel(
      graph(
        {
          title: "Loss before and after adaptation",
          description:
            "Mean L1 of each step's tasks. Query patches are new to the adapted network; support patches are what it adapted to. Pretraining has one loss: support, before.",
          normal: "all fall; after lies below before, by more and more.",
          unit: "short",
          width: 12,
        },
        [
          { expr: `mzsr_loss{${RUN},set="query",moment=~"before|after"}`, legend: "query {{moment}}" },
          { expr: `mzsr_loss{${RUN},set="support",moment=~"before|after"}`, legend: "support {{moment}}" },
        ],
        { logarithmic: true },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Query loss after each inner step",
          description: "One line per inner step; the wider apart they are, the more each step helps.",
          normal: "later inner steps lie lower; all fall.",
          unit: "short",
          width: 12,
        },
        [
          {
            expr: `avg_over_time(mzsr_loss{${RUN},set="query",moment=~"[0-9]+"}[$__rate_interval])`,
            legend: "{{moment}} steps",
          },
        ],
        { logarithmic: true, ordered: true },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Gain from adaptation",
          description: "Share of the query loss that the inner steps take away, smoothed over five minutes.",
          normal:
            "above 2 % after the first hundreds of meta-steps, and growing; 0 at their beginning and in pretraining.",
          unit: "percentunit",
          width: 12,
        },
        [
          { expr: `mzsr_adaptation_gain_ratio{${RUN}}`, legend: "newest step" },
          { expr: `avg_over_time(mzsr_adaptation_gain_ratio{${RUN}}[5m])`, legend: "mean of 5 minutes" },
        ],
      ),
    )
    .withPanel(
      graph(
        {
          title: "PSNR of held-out pictures",
          description: "On the luminance, before adaptation (0 updates) and after. Higher is better.",
          normal: "adapted lies some tenths of a dB above 0 updates late in the run.",
          unit: "dB",
          width: 12,
        },
        [{ expr: `mzsr_preview_psnr_db{${RUN}}`, legend: "{{image}}, {{updates}} updates" }],
      ),
    )
    .withPanel(
      graph(
        {
          title: "PSNR on held-out images",
          description:
            "Mean on the luminance of what validation measures, over its images and kernels, by updates. Needs validation.every.",
          normal: "above bicubic from early on; more updates lie higher late in the run.",
          unit: "dB",
          width: 12,
        },
        [{ expr: `mzsr_validation_psnr_db{${RUN},kernel="all"}`, legend: "{{updates}}" }],
      ),
    )
    .withPanel(
      graph(
        {
          title: "PSNR by kernel",
          description: "What validation measures after 10 updates, kernel by kernel.",
          normal: "all rise together; isotropic kernels lie higher than wide ones.",
          unit: "dB",
          width: 12,
        },
        [{ expr: `mzsr_validation_psnr_db{${RUN},kernel!="all",updates="10"}`, legend: "{{kernel}}" }],
      ),
    )
    .withRow(new RowBuilder("Optimisation"))
    .withPanel(
      graph(
        {
          title: "Norm of the meta-gradient",
          description: "L2 norm of the mean over a step's tasks. A rise without end precedes divergence.",
          normal: "falls with the loss and is noisy within a factor of ten.",
          unit: "short",
          width: 8,
        },
        [{ expr: `mzsr_meta_gradient_norm{${RUN}}`, legend: "norm" }],
        { logarithmic: true },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Weights of the inner steps",
          description: "In the outer loss. They begin equal and move to the last step.",
          normal: "equal at first, all on the last step in the end.",
          unit: "percentunit",
          width: 8,
        },
        [{ expr: `mzsr_step_weight{${RUN}}`, legend: "step {{inner_step}}" }],
        { stacked: true, ordered: true, min: 0, max: 1 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Learning rate",
          description: "Adam's rate of the outer update.",
          normal: "as configured: a ramp where there is a warm-up, then flat or falling.",
          unit: "sci",
          width: 8,
        },
        [{ expr: `mzsr_learning_rate{${RUN}}`, legend: "rate" }],
        { min: 0 },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Learned inner rates by inner step",
          description: "Mean over the tensors; only in runs that learn them.",
          normal: "changes slowly, within a factor of ten of where it began.",
          unit: "sci",
          width: 8,
        },
        [{ expr: `avg by (inner_step) (mzsr_inner_rate{${RUN}})`, legend: "step {{inner_step}}" }],
        { logarithmic: true, ordered: true },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Learned inner rates by tensor",
          description: "Mean over the inner steps; only in runs that learn them.",
          normal: "changes slowly, within a factor of ten of where it began.",
          unit: "sci",
          width: 8,
        },
        [{ expr: `avg by (tensor) (mzsr_inner_rate{${RUN}})`, legend: "{{tensor}}" }],
        { logarithmic: true },
      ),
    )
    .withPanel(
      graph(
        {
          title: "Time of a step",
          description: "From its first lease to its update.",
          normal: "flat; 95 % within twice the median.",
          unit: "s",
          width: 8,
        },
        [
          { expr: `run:mzsr_meta_step_seconds:p50_5m{${RUN}}`, legend: "median, {{stage}}" },
          { expr: `run:mzsr_meta_step_seconds:p95_5m{${RUN}}`, legend: "95 %, {{stage}}" },
        ],
        { min: 0 },
      ),
    )
    .build();
}
