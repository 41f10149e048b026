"""Other programs' readers and writers of models: ONNX Runtime, safetensors, NumPy. Called with a folder that holds model.onnx,
model.safetensors (as `mzsr export` writes them) and images.json, [n, h, w, c] arrays; says what they make of them as JSON."""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file

folder = Path(sys.argv[1])
session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
results = []
for image in json.loads((folder / "images.json").read_text()):
    x = np.asarray(image, np.float32).transpose(0, 3, 1, 2)
    (y,) = session.run(["sr"], {"ilr": x})
    results.append(y.transpose(0, 2, 3, 1).tolist())

tensors = load_file(folder / "model.safetensors")
np.savez(folder / "stored.npz", **tensors)
np.savez_compressed(folder / "packed.npz", **{name: value.astype(np.float64) for name, value in tensors.items()})
depth = len(tensors) // 2
# As a torch.nn.Sequential of convolutions and ReLUs is called.
renamed = {
    f"body.{2 * layer}.{kind}": tensors[f"conv{layer + 1}.{kind}"] for layer in range(depth) for kind in ("weight", "bias")
}
save_file(renamed, folder / "sequential.safetensors")
print(json.dumps({"results": results, "shapes": {name: list(value.shape) for name, value in tensors.items()}}))
