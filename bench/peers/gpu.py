"""PyTorch on the same GPU: tasks per second of the second-order meta-gradient, eager with strict FP32 and with its
default (TF32 convolutions), and as a CUDA graph where it captures. Prints lines of JSON.

    python3 bench/peers/gpu.py '[{"name": "small", "depth": 5, "width": 32, "patches": 4, "side": 48, "innerSteps": 3}]'
"""
import json
import sys
import time

import torch
import torch.nn.functional as F


def parameters(depth, width):
    torch.manual_seed(0)
    tensors = []
    for layer in range(depth):
        inputs = 3 if layer == 0 else width
        outputs = 3 if layer == depth - 1 else width
        scale = (2 / (9 * inputs)) ** 0.5 * (0.1 if layer == depth - 1 else 1)
        tensors += [torch.randn(outputs, inputs, 3, 3, device="cuda") * scale, torch.zeros(outputs, device="cuda")]
    return [tensor.requires_grad_() for tensor in tensors]


def network(theta, x):
    depth = len(theta) // 2
    activation = x
    for layer in range(depth):
        activation = F.conv2d(activation, theta[2 * layer], theta[2 * layer + 1], padding=1)
        if layer < depth - 1:
            activation = F.relu(activation)
    return x + activation


def meta_gradient(theta, images, steps):
    support_x, support_y, query_x, query_y = images
    adapted, outer = theta, 0
    for _ in range(steps):
        loss = F.l1_loss(network(adapted, support_x), support_y)
        gradient = torch.autograd.grad(loss, adapted, create_graph=True)
        adapted = [tensor - 1e-2 * g for tensor, g in zip(adapted, gradient)]
        outer = outer + F.l1_loss(network(adapted, query_x), query_y) / steps
    return torch.autograd.grad(outer, theta)


def tasks_per_second(run, seconds):
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 1 / sorted(times)[len(times) // 2]


def tell(case, what, speed):
    print(json.dumps({"case": case["name"], "what": what, "tasksPerSecond": speed}), flush=True)


def measure(case, tf32):
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    theta = parameters(case["depth"], case["width"])
    shape = (case["patches"], 3, case["side"], case["side"])
    images = [torch.rand(shape, device="cuda") for _ in range(4)]
    run = lambda: meta_gradient(theta, images, case["innerSteps"])
    precision = "TF32" if tf32 else "FP32"
    tell(case, f"PyTorch eager, {precision}", tasks_per_second(run, 4))
    try:
        graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                run()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            run()
        tell(case, f"PyTorch CUDA graph, {precision}", tasks_per_second(graph.replay, 2))
    except Exception as error:  # it need not capture
        print(f"no CUDA graph: {str(error)[:200]}", flush=True)


if not torch.cuda.is_available():
    sys.exit("PyTorch finds no CUDA device")
print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}", flush=True)
for each in json.loads(sys.argv[1]):
    for precision in (False, True):
        measure(each, precision)
