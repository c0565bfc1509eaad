#!/usr/bin/env python3
"""Writes resize.json: pictures shrunk by area, for Sources/Datasets/Resize.swift.   (Pillow 12 or 13)

From exact fractions, halves rounded up, and compared with Pillow's Image.reduce where the ratio is whole.
"""
import json
import math
import os
import random
from fractions import Fraction

from PIL import Image

SIDE = 12
random.seed(0)
source = [random.randrange(256) for _ in range(SIDE * SIDE)]


def exact(size):
    ratio = Fraction(SIDE, size)

    def share(old, new):
        return max(Fraction(0), min(Fraction(old + 1), (new + 1) * ratio) - max(Fraction(old), new * ratio))

    out = []
    for y in range(size):
        for x in range(size):
            mean = sum(source[i * SIDE + j] * share(i, y) * share(j, x) for i in range(SIDE) for j in range(SIDE))
            out.append(math.floor(mean / ratio / ratio + Fraction(1, 2)))
    return out


picture = Image.new("L", (SIDE, SIDE))
picture.putdata(source)
for factor in (2, 3, 4, 6):
    # Pillow's fixed-point division is one off where a mean lies just above a half.
    pillow = picture.reduce(factor).tobytes()
    assert sum(abs(a - b) for a, b in zip(pillow, exact(SIDE // factor))) <= 1
result = {"side": SIDE, "source": source, "resized": {str(s): exact(s) for s in (1, 2, 3, 4, 5, 6, 7, 11)}}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize.json")
with open(path, "w") as file:
    json.dump(result, file)
