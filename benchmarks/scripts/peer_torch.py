#!/usr/bin/env python3
"""PyTorch's side of dev.resid.benchmarks.table.GpuTable: the same work, the same lines of CSV.

    peer_torch.py [small]

GPT-2 small's shapes with random weights: a forward pass of 16 x 128 tokens with KL against stored
log-probabilities; 20 perturbation lengths from layer 6, by re-running the whole model for each (as a
script with hooks does) and by running the later half only; encoding and decoding of 32,768
activations by an SAE of 24,576 features. Needs torch with CUDA; uses its fused attention.
"""

import statistics
import sys
import time

import torch
import torch.nn.functional as F

SMALL = "small" in sys.argv[1:]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
LAYERS, HEADS, WIDTH, VOCABULARY = (3, 3, 48, 257) if SMALL else (12, 12, 768, 50257)
BATCH, POSITIONS, HALF = (2, 16, 1) if SMALL else (16, 128, 6)
ROWS, FEATURES = (64, 512) if SMALL else (32_768, 24_576)
RUNS = 7


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def median(work):
    work()
    wait()
    seconds = []
    for _ in range(RUNS):
        before = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - before)
    return statistics.median(seconds)


def normal(*shape, deviation=0.02):
    return torch.randn(*shape, device=DEVICE) * deviation


class Block:
    def __init__(self):
        self.w_qkv, self.b_qkv = normal(WIDTH, 3 * WIDTH), normal(3 * WIDTH)
        self.w_o, self.b_o = normal(WIDTH, WIDTH), normal(WIDTH)
        self.w_in, self.b_in = normal(WIDTH, 4 * WIDTH), normal(4 * WIDTH)
        self.w_out, self.b_out = normal(4 * WIDTH, WIDTH), normal(WIDTH)
        self.gamma1, self.beta1 = 1 + normal(WIDTH), normal(WIDTH)
        self.gamma2, self.beta2 = 1 + normal(WIDTH), normal(WIDTH)

    def __call__(self, x):
        batch, positions, _ = x.shape
        norm = F.layer_norm(x, (WIDTH,), self.gamma1, self.beta1)
        qkv = torch.addmm(self.b_qkv, norm.view(-1, WIDTH), self.w_qkv)
        q, k, v = qkv.view(batch, positions, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        z = z.transpose(1, 2).reshape(-1, WIDTH)
        x = x + torch.addmm(self.b_o, z, self.w_o).view_as(x)
        norm = F.layer_norm(x, (WIDTH,), self.gamma2, self.beta2)
        hidden = torch.addmm(self.b_in, norm.view(-1, WIDTH), self.w_in)
        hidden = F.gelu(hidden, approximate="tanh")
        return x + torch.addmm(self.b_out, hidden, self.w_out).view_as(x)


class Model:
    def __init__(self):
        self.w_e, self.w_pos = normal(VOCABULARY, WIDTH), normal(POSITIONS, WIDTH)
        self.blocks = [Block() for _ in range(LAYERS)]
        self.gamma, self.beta = 1 + normal(WIDTH), normal(WIDTH)

    def embed(self, tokens):
        return self.w_e[tokens] + self.w_pos

    def finish(self, x):
        return F.layer_norm(x, (WIDTH,), self.gamma, self.beta) @ self.w_e.T


def line(work, engine, precision, seconds, units, unit, giga):
    print(
        f"{work},{engine},{precision},{seconds:.6f},{units / seconds:.0f},{unit},{giga / seconds / 1e9:.1f}",
        flush=True,
    )


def divergence(clean, logits):
    # Of every position, as the library gives it; the numbers cross to the host. One fused kernel
    # after the softmax, which is faster than the formula written out.
    changed = logits.log_softmax(-1)
    return F.kl_div(changed, clean, reduction="none", log_target=True).sum(-1).cpu()


def run(precision):
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    engine = f"torch {torch.__version__}"
    n = 256 if SMALL else 8192
    a = torch.randn(n, n, device=DEVICE)
    b = torch.empty_like(a)
    line(f"ceiling: product of {n}", engine, precision, median(lambda: torch.mm(a, a, out=b)), n, "rows", 2 * n**3)
    line("ceiling: copy", engine, precision, median(lambda: b.copy_(a)), n * n, "floats", 8 * n * n)

    model = Model()
    tokens = torch.randint(VOCABULARY, (BATCH, POSITIONS), device=DEVICE)
    count = BATCH * POSITIONS
    # As GpuTable counts: the products of the blocks, and of one unembedding.
    block = 24 * WIDTH**2
    unembedding = 2 * WIDTH * VOCABULARY

    def forward(from_layer, x):
        for layer in model.blocks[from_layer:]:
            x = layer(x)
        return x

    middle = model.embed(tokens)
    for layer in model.blocks[:HALF]:
        middle = layer(middle)
    end = forward(HALF, middle)
    clean = model.finish(end).log_softmax(-1)
    directions = F.normalize(torch.randn_like(middle), dim=-1)
    lengths = [8.0 * (1 + i % 4) for i in range(20)]

    def whole():
        return divergence(clean, model.finish(forward(0, model.embed(tokens))))

    def measured(x):
        out = forward(HALF, x)
        return divergence(clean, model.finish(out)), (out - end).norm(dim=-1).cpu()

    def later_half():
        for length in lengths:
            measured(middle + length * directions)

    def whole_model_each_time():
        for length in lengths:
            x = model.embed(tokens)
            for layer in model.blocks[:HALF]:
                x = layer(x)
            measured(x + length * directions)

    flop = count * (LAYERS * block + unembedding)
    half = 20 * count * ((LAYERS - HALF) * block + unembedding)
    line("forward and KL", engine, precision, median(whole), count, "tokens", flop)
    line("20 lengths from the middle", engine, precision, median(later_half), 20 * count, "tokens", half)
    line("20 lengths by whole models", engine, precision, median(whole_model_each_time), 20 * count, "tokens", half)

    del model, clean, middle, end, directions
    width = 48 if SMALL else 768
    x = torch.randn(ROWS, width, device=DEVICE)
    w_enc = normal(width, FEATURES, deviation=width**-0.5)
    w_dec = normal(FEATURES, width)
    b_enc, b_dec = torch.full((FEATURES,), -2.815, device=DEVICE), normal(width)

    def sae():
        features = torch.relu(torch.addmm(b_enc, x - b_dec, w_enc))
        return torch.addmm(b_dec, features, w_dec)

    line("SAE encode and decode", engine, precision, median(sae), ROWS, "rows", 2 * ROWS * width * FEATURES)


def main():
    print("work,engine,precision,seconds,per_second,unit,gflops_or_gbytes_per_second")
    torch.manual_seed(1)
    with torch.inference_mode():
        for precision in ("fp32", "tf32"):
            run(precision)


if __name__ == "__main__":
    main()
