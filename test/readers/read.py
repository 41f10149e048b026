"""Reads what a run writes with other people's readers, and prints what they saw as JSON.

Usage: read.py RUN NETWORK.onnx NETWORK.safetensors
"""

import json
import struct
import sys

import numpy as np
import onnxruntime
import pandas as pd
from tensorboard.backend.event_processing import plugin_event_multiplexer
from tensorboard.util import tensor_util


def tensorboard(run):
    """What TensorBoard's own loader finds: the steps and values of every scalar, the sizes of every picture."""
    loader = plugin_event_multiplexer.EventMultiplexer(
        size_guidance={}, tensor_size_guidance={"scalars": 0, "images": 0}
    )
    loader.AddRunsFromDirectory(run + "/tensorboard")
    loader.Reload()
    (name,) = loader.Runs().keys()

    def values(plugin, read):
        return {
            tag: [[event.step, read(tensor_util.make_ndarray(event.tensor_proto))] for event in loader.Tensors(name, tag)]
            for tag in loader.PluginRunToTagToContent(plugin).get(name, {})
        }

    def picture(array):
        width, height, *pictures = array
        return [int(width), int(height), [len(each) for each in pictures], pictures[0][:8].hex()]

    return {"scalars": values("scalars", float), "images": values("images", picture)}


def pandas(run):
    """metrics.jsonl as the documents read it."""
    m = pd.read_json(run + "/metrics.jsonl", lines=True)
    meta = m[m.stage == "metaTraining"].set_index("step")
    curves = pd.DataFrame({"before": meta.query_losses.str[0], "after": meta.query_losses.str[-1]})
    return {
        "columns": list(m.columns),
        "types": {name: str(m[name].dtype) for name in ["step", "seconds", "gradient_norm", "theta_sha256"]},
        "steps": m.step.tolist(),
        "before": curves.before.tolist(),
        "after": curves.after.tolist(),
    }


def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    body = data[8 + size :]
    return {
        name: np.frombuffer(body[slice(*tensor["data_offsets"])], "<f4").reshape(tensor["shape"])
        for name, tensor in header.items()
    }


def convolve(x, weight, bias):
    """3x3, padded with zeros, in doubles; x is [channels, h, w]."""
    _, h, w = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.stack([padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)], axis=1)
    return np.einsum("oik,ikhw->ohw", weight.reshape(*weight.shape[:2], 9).astype(float), windows) + bias[:, None, None]


def onnx(network, weights):
    """The largest difference between what ONNX Runtime computes and the network by its definition."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    image = np.random.default_rng(1).random((1, 3, 21, 17), dtype=np.float32)
    (output,) = session.run(None, {given.name: image})
    tensors = read_safetensors(weights)
    layers = sorted({name.rsplit(".", 1)[0] for name in tensors}, key=lambda name: int("".join(filter(str.isdigit, name))))
    x = image[0].astype(float)
    for layer in layers:
        x = convolve(x, tensors[layer + ".weight"], tensors[layer + ".bias"])
        if layer != layers[-1]:
            x = np.maximum(x, 0)
    return {
        "shape": list(output.shape),
        "difference": float(np.abs(output[0] - (x + image[0])).max()),
        "effect": float(np.abs(x).max()),
        "scale": session.get_modelmeta().custom_metadata_map["scale"],
    }


run, network, weights = sys.argv[1:]
print(json.dumps({"tensorboard": tensorboard(run), "pandas": pandas(run), "onnx": onnx(network, weights)}))
