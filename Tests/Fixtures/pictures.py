#!/usr/bin/env python3
"""Writes pictures/: small files in the formats of picture datasets, and what Pillow and torchvision make of them.

    pip install pillow==13.0.0 torchvision==0.26.0 scipy==1.17.1 numpy==2.4.6 pyarrow==26.0.0     (pyarrow only for `parquet`)
    python3 Tests/Fixtures/pictures.py [PART …]          parts: arrays coded resampling crops parquet

Samples of the arrays are (37 n + 5 row + 3 column + 101 channel) mod 256, so that the tests can work them out.
"""

import base64
import io
import json
import os
import sys

import numpy
from PIL import Image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")


def path(name):
    return os.path.join(FOLDER, name)


def samples(count, side=32):
    n, row, column, channel = numpy.ogrid[:count, :side, :side, :3]
    return ((37 * n + 5 * row + 3 * column + 101 * channel) % 256).astype(numpy.uint8)


def scene(height, width):
    """Waves and noise: what resizing has to get right."""
    generator = numpy.random.default_rng(7)
    row, column = numpy.mgrid[:height, :width]
    waves = [128 + 90 * numpy.sin(row / 3 + k) * numpy.cos(column / (2 + k)) for k in range(3)]
    noise = generator.integers(-30, 30, (height, width, 3))
    return numpy.clip(numpy.stack(waves, -1) + noise, 0, 255).astype(numpy.uint8)


def arrays():
    """SVHN's MAT files as scipy.io.savemat writes them, and CIFAR-10.1's NPY files."""
    from scipy.io import savemat

    pictures = samples(5)
    content = {"X": pictures.transpose(1, 2, 3, 0), "y": numpy.array([[1], [10], [3], [9], [10]], numpy.uint8)}
    savemat(path("svhn.mat"), content, do_compression=True)
    content["y"] = content["y"].astype(float)
    savemat(path("svhn-plain.mat"), {"X": content["X"][..., :2], "y": content["y"][:2]})
    savemat(path("structure.mat"), {"X": {"a": 1}})
    numpy.save(path("cifar10.1_v6_data.npy"), samples(4))
    numpy.save(path("cifar10.1_v6_labels.npy"), numpy.array([3, 9, 0, 3], numpy.int32))
    numpy.save(path("fortran.npy"), numpy.asfortranarray(numpy.arange(6, dtype=numpy.int64).reshape(2, 3)))
    numpy.save(path("big-endian.npy"), numpy.arange(6, dtype=">i4"))


def coded():
    """JPEG and PNG files of every kind, and their pixels after Pillow's convert("RGB") in coded.json."""
    rgb = Image.fromarray(scene(29, 40))
    alpha = Image.fromarray(scene(29, 40)[:, :, 0])
    transparent = rgb.copy()
    transparent.putalpha(alpha)
    save = {
        "420.jpg": (rgb, {"quality": 90}),
        "444.jpg": (rgb, {"quality": 90, "subsampling": 0}),
        "progressive.jpg": (rgb, {"quality": 80, "progressive": True}),
        "grey.jpg": (rgb.convert("L"), {"quality": 90}),
        "cmyk.jpg": (rgb.convert("CMYK"), {"quality": 95}),
        "rgb.png": (rgb, {}),
        "rgba.png": (transparent, {}),
        "grey.png": (rgb.convert("L"), {}),
        "palette.png": (rgb.quantize(32), {}),
        "bits.png": (rgb.convert("1"), {}),
    }
    expected = {}
    for name, (picture, options) in save.items():
        picture.save(path(name), **options)
    # A gamma that asks for other pixels, which Pillow leaves alone.
    content = open(path("rgb.png"), "rb").read()
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path("gamma.png"), "wb") as file:
        file.write(content[:33] + chunk(b"gAMA", struct.pack(">I", 100_000)) + content[33:])
    for name in [*save, "gamma.png"]:
        picture = Image.open(path(name)).convert("RGB")
        expected[name] = {
            "height": picture.height, "width": picture.width, "pixels": base64.b64encode(picture.tobytes()).decode()
        }
    with open(path("coded.json"), "w") as file:
        json.dump(expected, file)


def resampling():
    """Parts of a picture resized by torchvision's antialiased resize on float tensors, and by Pillow on bytes: resampling.json."""
    import torch
    from torchvision.transforms import InterpolationMode, functional, v2

    picture = scene(47, 64)
    tensor = torch.from_numpy(picture).permute(2, 0, 1).float()
    modes = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
    crops, middles = [], []
    for name, mode in modes.items():
        for box, size in (((0, 0, 47, 64), 10), ((5, 9, 7, 6), 12), ((3, 2, 40, 11), 9), ((46, 63, 1, 1), 4), ((0, 30, 9, 9), 9)):
            floats = functional.resized_crop(tensor, *box, [size, size], mode, antialias=True)
            pillow = functional.resized_crop(Image.fromarray(picture), *box, [size, size], mode)
            crops.append({
                "interpolation": name, "box": box, "size": size,
                "floats": [round(x, 4) for x in floats.permute(1, 2, 0).flatten().tolist()],
                "bytes": list(pillow.tobytes()),
            })
        for resize, size in ((14, 12), (12, 12), (60, 8)):
            recipe = v2.Compose([v2.Resize(resize, mode, antialias=True), v2.CenterCrop(size)])
            floats = recipe(tensor)
            middles.append({
                "interpolation": name, "resize": resize, "size": size,
                "floats": [round(x, 4) for x in floats.permute(1, 2, 0).flatten().tolist()],
                "bytes": list(recipe(Image.fromarray(picture)).tobytes()),
            })
    content = {"height": 47, "width": 64, "picture": base64.b64encode(picture.tobytes()).decode(), "crops": crops, "middles": middles}
    with open(path("resampling.json"), "w") as file:
        json.dump(content, file)


def crops():
    """Quantiles of 40,000 boxes that torchvision's RandomResizedCrop draws: crops.json."""
    import torch
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(0)
    result = []
    for height, width, scale, ratio in (
        (256, 256, [0.08, 1.0], [3 / 4, 4 / 3]), (100, 400, [0.08, 1.0], [3 / 4, 4 / 3]),
        (300, 200, [0.5, 0.9], [0.5, 1.0]), (400, 20, [0.6, 1.0], [3 / 4, 4 / 3]),
    ):
        picture = torch.empty(3, height, width)
        boxes = numpy.array([RandomResizedCrop.get_params(picture, scale, ratio) for _ in range(40_000)])
        result.append({
            "height": height, "width": width, "scale": scale, "ratio": ratio, "mean": boxes.mean(0).tolist(),
            "deviation": boxes.std(0).tolist(), "quantiles": numpy.quantile(boxes, [0.1, 0.25, 0.5, 0.75, 0.9], axis=0).T.tolist(),
        })
    with open(path("crops.json"), "w") as file:
        json.dump(result, file)


def parquet():
    """An image dataset as Hugging Face's `datasets` writes it: a struct of bytes and path, labels with names in the metadata."""
    import pyarrow
    import pyarrow.parquet

    features = {"image": {"_type": "Image"}, "label": {"names": ["even", "odd"], "_type": "ClassLabel"}}
    for split, count in (("train", 6), ("test", 3)):
        rows = []
        for number in range(count):
            stream = io.BytesIO()
            Image.fromarray(samples(count)[number]).save(stream, "PNG")
            rows.append({"bytes": stream.getvalue(), "path": f"{number}.png"})
        table = pyarrow.table({"image": rows, "label": [number % 2 for number in range(count)]})
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        pyarrow.parquet.write_table(table, path(f"{split}-00000-of-00001.parquet"))


PARTS = {part.__name__: part for part in (arrays, coded, resampling, crops, parquet)}

if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
