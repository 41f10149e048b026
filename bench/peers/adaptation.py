"""PyTorch's side of bench/adaptation.ts: adapts to a photo and enlarges it, one thread."""

import json
import resource
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from PIL import Image

from model import make_parameters, network

torch.set_num_threads(1)


def gaussian_kernel(variance, size=15):
    axis = torch.arange(size, dtype=torch.float32) - size // 2
    line = torch.exp(-axis**2 / (2 * variance))
    kernel = line[:, None] * line[None, :]
    return (kernel / kernel.sum()).expand(3, 1, size, size).contiguous()


def enlarge_bicubic(image, size):
    return F.interpolate(image, size=size, mode="bicubic", align_corners=False)


def super_resolve(photo, parameters, updates):
    blurred = F.conv2d(F.pad(photo, [7] * 4, mode="reflect"), gaussian_kernel(2.0), groups=3)
    x = enlarge_bicubic(blurred[:, :, ::2, ::2], photo.shape[2:])
    for step in range(updates):
        loss = F.l1_loss(network(parameters, x), photo)
        gradients = torch.autograd.grad(loss, parameters)
        rate = 2e-2 if step == 0 else 1e-2 if step < 4 else 5e-3
        with torch.no_grad():
            for p, g in zip(parameters, gradients):
                p -= rate * g
    with torch.no_grad():
        return network(parameters, enlarge_bicubic(photo, [2 * side for side in photo.shape[2:]]))


for line in sys.stdin:
    r = json.loads(line)
    start = time.process_time()
    pixels = numpy.asarray(Image.open(r["photo"]).convert("RGB"), dtype=numpy.float32) / 255
    photo = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
    super_resolve(photo, make_parameters(r["depth"], r["width"]), r["updates"])
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpuSeconds": seconds, "peakBytes": peak}), flush=True)
