"""One epoch of training batches from a folder of pictures: ImageFolder and a DataLoader with two workers, random resized crop, flip,
normalisation. The network is left out. The first epoch times the dataset and the loader too; a later one has its workers running."""

import os

import torch
from measure import parser, report
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    options = parser(__doc__, warmup=0, repetitions=3)
    options.add_argument("--data", required=True, help="folder with train/, a folder for each class")
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--size", type=int, default=224)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--cached", action="store_true", help="a later epoch")
    arguments = options.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    augment = [transforms.RandomResizedCrop(arguments.size), transforms.RandomHorizontalFlip()]
    transform = transforms.Compose([*augment, transforms.ToTensor(), transforms.Normalize(MEAN, STD)])

    def make() -> DataLoader:
        dataset = ImageFolder(os.path.join(arguments.data, "train"), transform)
        return DataLoader(
            dataset, arguments.batch, shuffle=True, drop_last=True, num_workers=arguments.workers, persistent_workers=True
        )

    loader = make()

    def epoch() -> None:
        nonlocal loader
        if not arguments.cached:
            loader = make()
        for _ in loader:
            pass

    if arguments.cached:
        epoch()
    report("picture-epoch-cached" if arguments.cached else "picture-epoch", epoch, arguments)


if __name__ == "__main__":
    main()
