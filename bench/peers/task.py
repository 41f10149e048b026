"""PyTorch's side of bench/task.ts: one second-order task by double backward through autograd, one thread."""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

from model import make_parameters, network

torch.set_num_threads(1)


def make_problem(depth, width, patches, side):
    parameters = make_parameters(depth, width)
    return parameters, [torch.rand(patches, 3, side, side) for _ in range(4)]


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
