/** The method as a library: what it computes (`numeric.ts`), and what reads and writes its files. */
export { kernelFile, type LoadedKernel, loadKernel } from "./degradation/kernel-source.js";
export { probeWriting, removeUnfinished, writeFileAtomically } from "./files/atomic-file.js";
export { crc32cTable, maskedCrc } from "./files/crc32c.js";
export { readInputFile, reasonOf } from "./files/input-file.js";
export { LARGEST_SECRET_BYTES, readSmallFile } from "./files/small-file.js";
export { type BadImage, badImage, badImagesError } from "./imaging/bad-images.js";
export {
  countPixels,
  encodePng,
  isImageName,
  LARGEST_IMAGE_FILE_BYTES,
  LARGEST_PIXELS,
  type LoadedImage,
  listImages,
  READABLE_IMAGE,
  readImage,
  readImageBytes,
  readImageSize,
  SMALLEST_SIDE,
  writePng,
} from "./imaging/image-file.js";
export {
  type FormatLimits,
  IMAGE_FORMATS,
  type ImageFormat,
  imageFormatOf,
  OUTPUT_EXTENSIONS,
} from "./imaging/image-formats.js";
export { throughJpeg } from "./imaging/jpeg.js";
export { estimateKernel, readEstimator } from "./kernel-estimation/load-estimator.js";
export { importNpz, importSafetensors } from "./model/import-file.js";
export { LARGEST_MODEL_BYTES, readModel, writeModel } from "./model/model-file.js";
export { importTf1Checkpoint } from "./model/tf1-checkpoint.js";
export * from "./numeric.js";
export {
  type EncodedPhoto,
  type EncodingOptions,
  encodePhoto,
  PhotoEncoder,
  type PhotoTraits,
} from "./photo/encode-photo.js";
export { enlarge } from "./photo/enlarge.js";
export { type LoadedPhoto, readPhoto, readPhotoBytes } from "./photo/read-photo.js";
