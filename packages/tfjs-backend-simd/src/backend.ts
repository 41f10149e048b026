import * as tf from "@tensorflow/tfjs-core";
import { Allocator } from "./allocator.js";
import { instantiate, MAXIMUM_BYTES, TENSORS_START, type WasmKernels, type WasmMemory } from "./wasm.js";

/** What a tensor's data are: numbers in WebAssembly memory, or strings kept in JavaScript. */
interface TensorData {
  readonly dtype: tf.DataType;
  readonly address: number;
  /** Number of elements. */
  readonly size: number;
  readonly strings?: Uint8Array[];
  references: number;
}

type NumericArray = Float32Array | Int32Array | Uint8Array;

/** Memory of one backend, in bytes. */
export interface SimdMemory {
  /** In tensors, rounding included. */
  readonly usedBytes: number;
  /** What the WebAssembly memory has grown to; it never shrinks. */
  readonly reservedBytes: number;
  /** Tensors' data held (and scratch memory, while a kernel runs). */
  readonly allocations: number;
}

/**
 * TensorFlow.js backend with its own WebAssembly instance and memory. float32 and int32 take four bytes an element,
 * bool one; strings stay in JavaScript; complex64 is refused.
 */
export class SimdBackend extends tf.KernelBackend {
  readonly kernels: WasmKernels;
  readonly #memory: WasmMemory;
  readonly #allocator: Allocator;
  readonly #data: tf.DataStorage<TensorData>;

  constructor(maximumBytes: number = MAXIMUM_BYTES) {
    super();
    const { kernels, memory } = instantiate();
    this.kernels = kernels;
    this.#memory = memory;
    const growable = {
      get byteLength() {
        return memory.buffer.byteLength;
      },
      grow: (bytes: number) => {
        memory.grow(bytes / 65_536);
      },
    };
    this.#allocator = new Allocator(growable, TENSORS_START, maximumBytes);
    this.#data = new tf.DataStorage(this, tf.engine());
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {};
    this.#store(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.#store(dataId, values, shape, dtype, references);
  }

  /** A tensor whose elements are yet to be written. */
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo {
    const size = tf.util.sizeFromShape(shape as number[]);
    const dataId = {};
    const address = this.#allocator.allocate(size * bytesPerElement(dtype));
    this.#data.set(dataId, { dtype, size, address, references: 1 });
    return { dataId, shape: shape as number[], dtype };
  }

  /** The same data under another shape. */
  alias(tensor: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    this.incRef(tensor.dataId);
    return { dataId: tensor.dataId, shape: shape as number[], dtype: tensor.dtype };
  }

  /** Where a tensor's elements lie. */
  address(tensor: tf.TensorInfo): number {
    return this.#data.get(tensor.dataId).address;
  }

  /** Runs `body` with `bytes` of scratch memory. */
  withScratch(bytes: number, body: (address: number) => void): void {
    const address = this.#allocator.allocate(bytes);
    try {
      body(address);
    } finally {
      this.#allocator.release(address);
    }
  }

  override async read(dataId: tf.DataId): Promise<tf.backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  override readSync(dataId: tf.DataId): tf.backend_util.BackendValues {
    const data = this.#data.get(dataId);
    return data.strings ?? this.#view(data).slice();
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const data = this.#data.get(dataId);
    data.references--;
    if (!force && data.references > 0) return false;
    if (data.strings === undefined) this.#allocator.release(data.address);
    this.#data.delete(dataId);
    return true;
  }

  override incRef(dataId: tf.DataId): void {
    this.#data.get(dataId).references++;
  }

  override refCount(dataId: tf.DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).references : 0;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  /** Shown by `tf.memory()`, with the counts of the library. */
  override memory(): { unreliable: boolean } & SimdMemory {
    return {
      unreliable: false,
      usedBytes: this.#allocator.usedBytes,
      reservedBytes: this.#memory.buffer.byteLength,
      allocations: this.#allocator.count,
    };
  }

  override timerAvailable(): boolean {
    return true;
  }

  /** Wall time; kernels are done when they return. */
  override async time(f: () => void): Promise<tf.BackendTimingInfo> {
    const start = tf.util.now();
    f();
    return { kernelMs: tf.util.now() - start };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}

  #store(
    dataId: tf.DataId,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    const size = tf.util.sizeFromShape(shape);
    if (dtype === "string") {
      this.#data.set(dataId, { dtype, size, address: 0, strings: values as Uint8Array[], references });
      return;
    }
    const data = { dtype, size, address: this.#allocator.allocate(size * bytesPerElement(dtype)), references };
    if (values !== null) this.#view(data).set(values as NumericArray);
    this.#data.set(dataId, data);
  }

  #view({ dtype, address, size }: TensorData): NumericArray {
    if (dtype === "bool") return new Uint8Array(this.#memory.buffer, address, size);
    if (dtype === "int32") return new Int32Array(this.#memory.buffer, address, size);
    return new Float32Array(this.#memory.buffer, address, size);
  }
}

function bytesPerElement(dtype: tf.DataType): number {
  if (dtype === "float32" || dtype === "int32") return 4;
  if (dtype === "bool") return 1;
  throw new Error(`simd backend: ${dtype} tensors are not supported; use float32, int32 or bool`);
}
