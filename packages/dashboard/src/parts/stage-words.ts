import type { RunStage } from "@mzsr/shared";

export const STAGE_WORDS: Record<RunStage, string> = { pretraining: "Pretraining", metaTraining: "Meta-training" };

/** The steps that are shown: of one stage, or all. */
export type StageChoice = RunStage | "all";
