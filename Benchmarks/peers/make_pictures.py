"""Writes a folder of JPEG pictures for the benchmarks: make_pictures.py FOLDER. 2,000 of 256 × 256 in ten classes, about 25 kB each, to
train on, and ten to test on."""

import os
import pathlib
import sys

import numpy
from PIL import Image, ImageFilter

CLASSES, PER_CLASS, SIDE = 10, 200, 256


def picture(generator: numpy.random.Generator) -> Image.Image:
    """Noise of several grain sizes: as much to decode as a photograph."""
    total = numpy.zeros((SIDE, SIDE, 3))
    for grain, height in ((128, 60), (32, 40), (8, 25), (2, 12)):
        small = generator.normal(0, height, (SIDE // grain + 1, SIDE // grain + 1, 3)) + 128 / 4
        small = Image.fromarray(numpy.clip(small, 0, 255).astype(numpy.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        total += numpy.asarray(small)
    return Image.fromarray(numpy.clip(total, 0, 255).astype(numpy.uint8)).filter(ImageFilter.SMOOTH)


def main(folder: pathlib.Path) -> None:
    generator = numpy.random.default_rng(0)
    part = folder.with_suffix(".part")
    for split, count in (("train", PER_CLASS), ("test", 1)):
        for label in range(CLASSES):
            place = part / split / f"class{label}"
            place.mkdir(parents=True, exist_ok=True)
            for number in range(count):
                picture(generator).save(place / f"{number:04}.jpg", quality=90)
    os.replace(part, folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
