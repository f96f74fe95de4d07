"""Training steps in exact integers, written from the documentation alone, as vectors for the Rust kernels.

    pip install numpy==2.4.6
    python tests/vectors/training.py > tests/vectors/training.json

Layer l = 1 .. L stands at index l - 1 of a list; matrices are flat, row-major, rows indexed by (step, row). A segment
has `steps` steps of `padded` rows; the rows of a step that are not live have input zero and label 65535.
"""

import json
import math
import sys

import numpy as np

NO_LABEL = 65535


def chacha20(key, stream):
    """Keystream words: 20 rounds, 64-bit block counter from 0, 64-bit nonce `stream` (Bernstein, 2008)."""
    constants = [int.from_bytes(b"expand 32-byte k"[i : i + 4], "little") for i in range(0, 16, 4)]
    words = [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    counter = 0
    while True:
        start = constants + words + [counter & 0xFFFFFFFF, counter >> 32, stream & 0xFFFFFFFF, stream >> 32]
        s = list(start)

        def quarter(a, b, c, d):
            for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                s[x] = (s[x] + s[y]) & 0xFFFFFFFF
                s[z] ^= s[x]
                s[z] = ((s[z] << n) | (s[z] >> (32 - n))) & 0xFFFFFFFF

        for _ in range(10):
            for i in range(4):
                quarter(i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        yield from ((a + b) & 0xFFFFFFFF for a, b in zip(s, start))
        counter += 1


def first_weights(seed, layer, d_in, d_out, weight_bits):
    """He-uniform by rejection: the next 8 bytes x, unless x >= n * floor(2^64 / n), give x mod n - bound."""
    bound = math.isqrt((6 << (2 * weight_bits)) // d_in)
    n = 2 * bound + 1
    stream, weights = chacha20(seed, layer), []
    while len(weights) < d_in * d_out:
        x = next(stream) | next(stream) << 32
        if x < n * (2**64 // n):
            weights.append(x % n - bound)
    return np.array(weights, dtype=np.int64).reshape(d_in, d_out)


def exponentials(fa, fe):
    """round(2^fe exp(-key / 2^fa)): the powers, with 60 bits, of the Taylor series of exp(-2^-fa)."""
    one = 1 << 60
    factor, term, order = 0, one, 0
    while term:
        factor += term
        order += 1
        # The magnitude after the shift (towards minus infinity) is negated and divided towards zero.
        negated = -(term >> fa)
        term = abs(negated) // order * (1 if negated > 0 else -1)
    table, value = [], one
    for _ in range(1 << 16):
        table.append((value + (1 << (59 - fe))) >> (60 - fe))
        value = value * factor >> 60
    return np.array(table, dtype=np.int64)


def matmul(a, b):
    """Exact product in Python integers, checked to fit in 64 bits."""
    exact = a.astype(object) @ b.astype(object)
    assert all(-(2**63) <= v < 2**63 for v in exact.flat)
    return exact.astype(np.int64)


def rounded(x, bits):
    """floor(x / 2^bits + 1/2), in 16 bits."""
    exact = (x.astype(object) + (1 << (bits - 1))) // (1 << bits)
    assert all(-(2**15) <= v < 2**15 for v in exact.flat), "the example diverges"
    return exact.astype(np.int64)


def softmax(logits, table, fg):
    """(selected, largest logit, exponentials, sum, probabilities, remainders) of each row."""
    selected = logits.argmax(axis=1)
    largest = logits.max(axis=1)
    e = table[largest[:, None] - logits]
    s = e.sum(axis=1, keepdims=True)
    scaled = 2 * e * 2**fg + s
    return selected, largest, e, s[:, 0], scaled // (2 * s), scaled % (2 * s)


def segment(name, widths, batch, steps, live_steps, last_rows, rate, precision, seed):
    fa, fg, k, fe = precision
    bits, layers = fa + fg + k, len(widths) - 1
    padded = 1 << (batch - 1).bit_length()
    rng = np.random.default_rng(seed)
    key = bytes(range(seed, seed + 32))
    weights = [first_weights(key, l, widths[l], widths[l + 1], bits) for l in range(layers)]
    biases = [np.zeros(widths[l + 1], dtype=np.int64) for l in range(layers)]
    first = [w.copy() for w in weights]

    inputs = np.zeros((steps, padded, widths[0]), dtype=np.int64)
    labels = np.full((steps, padded), NO_LABEL, dtype=np.int64)
    for t in range(live_steps):
        rows = last_rows if t == live_steps - 1 else batch
        x = rng.integers(-(2**fa), 2 ** (fa + 1), (rows, widths[0]))
        inputs[t, :rows] = x * (rng.random(x.shape) < 0.7)
        labels[t, :rows] = rng.integers(0, widths[-1], rows)

    table = exponentials(fa, fe)
    u, h, a, v, m, g = ([[] for _ in range(layers)] for _ in range(6))
    names = ("selected", "maximum", "exponentials", "sums", "probabilities", "remainders")
    internals = {n: [] for n in names}
    for t in range(steps):
        acts, pre = [inputs[t]], []
        for l in range(layers):
            product = matmul(acts[l], weights[l]) + 2**fa * biases[l]
            u[l].append(product)
            pre.append(rounded(product, bits))
            h[l].append(pre[l])
            if l + 1 < layers:
                acts.append(np.maximum(pre[l], 0))
                a[l].append(acts[-1])
                m[l].append((pre[l] > 0).astype(np.int64))
        row = softmax(pre[-1], table, fg)
        for n, values in zip(names, row):
            internals[n].append(values)
        live = labels[t] != NO_LABEL
        onehot = (labels[t][:, None] == np.arange(widths[-1])).astype(np.int64)
        gradient = [None] * layers
        gradient[-1] = live[:, None] * (row[4] - onehot * 2**fg)
        for l in range(layers - 1, 0, -1):
            back = matmul(gradient[l], weights[l].T)
            v[l - 1].append(back)
            gradient[l - 1] = rounded(m[l - 1][-1] * back, bits)
        for l in range(layers):
            g[l].append(gradient[l])
            weights[l] = weights[l] - rate * matmul(acts[l].T, gradient[l])
            biases[l] = biases[l] - rate * 2**fa * gradient[l].sum(axis=0)

    def flat(x):
        return [int(y) for y in np.asarray(x).flat]

    return {
        "name": name,
        "widths": widths,
        "batch": batch,
        "steps": steps,
        "live_steps": live_steps,
        "last_rows": last_rows,
        "rate": rate,
        "activation_bits": fa,
        "gradient_bits": fg,
        "rate_bits": k,
        "exponential_bits": fe,
        "seed": list(key),
        "input": flat(inputs),
        "labels": flat(labels),
        "first_weights": [flat(w) for w in first],
        "U": [flat(x) for x in u],
        "H": [flat(x) for x in h],
        "A": [flat(x) for x in a[:-1]],
        "V": [flat(x) for x in v[:-1]],
        "m": [flat(x) for x in m[:-1]],
        "G": [flat(x) for x in g],
        "softmax": {n: flat(x) for n, x in internals.items()},
        "last_weights": [flat(w) for w in weights],
        "last_biases": [flat(b) for b in biases],
    }


def table_digest(fa, fe):
    """A sum over the whole exponential table that no two different tables are likely to share."""
    table = exponentials(fa, fe)
    return {
        "activation_bits": fa,
        "exponential_bits": fe,
        "head": [int(e) for e in table[:8]],
        "weighted_sum": sum((key + 1) * int(e) for key, e in enumerate(table)),
    }


def text(value, indent):
    """JSON with a line for each entry of an object, so that a changed tensor is a changed line."""
    if isinstance(value, dict):
        entries = (f"{indent} {json.dumps(k)}: {text(v, indent + ' ')}" for k, v in value.items())
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[" + ", ".join(text(v, indent) for v in value) + "]"
    return json.dumps(value)


def main():
    usual = (8, 12, 8, 11)
    cases = [
        segment("one layer, a live segment", [5, 3], 4, 2, 2, 4, 1, usual, 1),
        segment("two layers, padded rows", [7, 6, 3], 3, 4, 4, 3, 3, usual, 2),
        segment("three layers, padded rows and steps", [9, 7, 5, 4], 5, 4, 3, 2, 2, usual, 3),
        segment("three layers, other scales", [6, 11, 3, 5], 6, 8, 6, 5, 2, (6, 10, 5, 9), 4),
        segment("one row", [3, 2, 2], 1, 4, 3, 1, 7, (10, 13, 12, 12), 5),
    ]
    tables = [table_digest(fa, fe) for fa, fe in ((1, 0), (6, 9), (8, 11), (14, 14))]
    document = {
        "source": "tests/vectors/training.py, with NumPy " + np.__version__,
        "command": "python tests/vectors/training.py > tests/vectors/training.json",
        "tables": tables,
        "cases": cases,
    }
    sys.stdout.write(text(document, "") + "\n")


if __name__ == "__main__":
    main()
