export { adapterNames } from "./device/adapters.js";
export {
  type AdapterDescription,
  type AdapterLimits,
  type DeviceOptions,
  type EngineDevice,
  openDevice,
} from "./device/device.js";
export type { BatchTimes, KernelTime } from "./device/program.js";
export { requireVulkanLoader } from "./device/vulkan-loader.js";
export { type EngineOptions, type EngineTask, MetaGradientEngine } from "./engine.js";
export type { ConvolutionName } from "./kernels/conv-variants.js";
export { MinibatchEngine, type MinibatchShape, type MinibatchTask, planMinibatchMemory } from "./minibatch-engine.js";
export { DescentEngine, type DescentShape } from "./photo/descent-engine.js";
export { ForwardEngine } from "./photo/forward-engine.js";
export { PhotoEngine } from "./photo/photo-engine.js";
export {
  type MemoryLimits,
  type MemoryOptions,
  type MemoryPlan,
  type MinibatchMemory,
  planMemory,
} from "./plan/memory.js";
export type { TaskShape } from "./plan/meta-plan.js";
export type { PatchShape } from "./plan/shapes.js";
