"""The network in PyTorch, and parameters for it: what the peers of several measurements share."""

import torch
import torch.nn.functional as F


def network(parameters, x):
    a = x
    depth = len(parameters) // 2
    for layer in range(depth):
        a = F.conv2d(a, parameters[2 * layer], parameters[2 * layer + 1], padding=1)
        if layer < depth - 1:
            a = F.relu(a)
    return x + a


def make_parameters(depth, width):
    torch.manual_seed(0)
    parameters = []
    for layer in range(depth):
        inputs = 3 if layer == 0 else width
        outputs = 3 if layer == depth - 1 else width
        scale = (2 / (9 * inputs)) ** 0.5 * (0.1 if layer == depth - 1 else 1)
        parameters += [torch.randn(outputs, inputs, 3, 3) * scale, torch.zeros(outputs)]
    return [p.requires_grad_() for p in parameters]
