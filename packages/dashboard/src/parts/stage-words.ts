import type { RunStage } from "@mzsr/shared";

export const STAGE_WORDS: Record<RunStage, string> = { pretraining: "Pretraining", metaTraining: "Meta-training" };
