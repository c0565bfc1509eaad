#!/usr/bin/env python3
"""Writes the oracle fixtures beside this file: what PyTorch and torchvision compute, for Valley's tests to
compare with.

    python3 -m venv .venv && .venv/bin/pip install -r Tests/Fixtures/requirements.txt
    .venv/bin/python Tests/Fixtures/generate.py

Everything is seeded, one thread, deterministic algorithms; the versions used stand in each file's header.
README.md beside this file lists the keys. Name some of the parts to write only those.
"""

import sys

import torch
from initialisation import initialisation
from measures import measures
from midpoints import midpoints
from networks import networks
from noise import noise
from operators import operators
from optimizer import quadratic
from paths import paths
from torch_files import torch_files
from training import training

PARTS = {
    part.__name__: part
    for part in (networks, operators, noise, paths, measures, midpoints, quadratic, training, initialisation, torch_files)
}

if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown:
        sys.exit(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
