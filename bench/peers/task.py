"""PyTorch's side of bench/task.ts: one second-order task by double backward through autograd, one thread."""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def network(parameters, x):
    a = x
    depth = len(parameters) // 2
    for layer in range(depth):
        a = F.conv2d(a, parameters[2 * layer], parameters[2 * layer + 1], padding=1)
        if layer < depth - 1:
            a = F.relu(a)
    return x + a


def make_problem(depth, width, patches, side):
    torch.manual_seed(0)
    parameters = []
    for layer in range(depth):
        inputs = 3 if layer == 0 else width
        outputs = 3 if layer == depth - 1 else width
        scale = (2 / (9 * inputs)) ** 0.5 * (0.1 if layer == depth - 1 else 1)
        parameters += [torch.randn(outputs, inputs, 3, 3) * scale, torch.zeros(outputs)]
    images = [torch.rand(patches, 3, side, side) for _ in range(4)]
    return [p.requires_grad_() for p in parameters], images


def meta_gradient(parameters, images, inner_steps):
    support_x, support_y, query_x, query_y = images
    adapted = parameters
    outer = 0
    for _ in range(inner_steps):
        loss = F.l1_loss(network(adapted, support_x), support_y)
        gradients = torch.autograd.grad(loss, adapted, create_graph=True)
        adapted = [p - 1e-2 * g for p, g in zip(adapted, gradients)]
        outer = outer + F.l1_loss(network(adapted, query_x), query_y) / inner_steps
    return torch.autograd.grad(outer, parameters)


problem = None
for line in sys.stdin:
    r = json.loads(line)
    problem = problem or make_problem(r["depth"], r["width"], r["patches"], r["side"])
    start = time.process_time()
    meta_gradient(*problem, r["innerSteps"])
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpuSeconds": seconds, "peakBytes": peak}), flush=True)
