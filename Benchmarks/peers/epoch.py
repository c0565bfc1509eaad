"""One epoch of training on CIFAR-10 with flip and padded random crop, then evaluation on the test set: the script one
writes with torchvision transforms and a DataLoader. Reading the files is not timed; everything after it is."""

import argparse
import pathlib

import numpy
import torch
import torch.nn.functional as F
from measure import parser, report
from models import resnet
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
RECORD = 1 + 3 * 32 * 32


class CIFAR10(Dataset):
    """The binary layout: records of one label byte and 3072 bytes of picture, channel by channel."""

    def __init__(self, folder: pathlib.Path, train: bool, limit: int | None, transform):
        files = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
        records = numpy.concatenate([numpy.fromfile(folder / name, numpy.uint8).reshape(-1, RECORD) for name in files])[
            :limit
        ]
        self.labels = records[:, 0].astype(int)
        self.images = numpy.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def main() -> None:
    options = parser(__doc__, warmup=0, repetitions=1)
    options.add_argument(
        "--data", type=pathlib.Path, required=True, help="folder with data_batch_1.bin … test_batch.bin"
    )
    options.add_argument("--model", default="resnet-1,1,1")
    options.add_argument("--width", type=int, default=16)
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--train", type=int, help="use only so many training pictures")
    options.add_argument("--test", type=int, help="use only so many test pictures")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    options.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=False)
    arguments = options.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    normalise = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    augment = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    train_set = CIFAR10(arguments.data, True, arguments.train, transforms.Compose(augment + normalise))
    test_set = CIFAR10(arguments.data, False, arguments.test, transforms.Compose(normalise))
    workers = {"num_workers": arguments.workers, "persistent_workers": arguments.workers > 0}
    train_loader = DataLoader(train_set, arguments.batch, shuffle=True, drop_last=True, **workers)
    test_loader = DataLoader(test_set, 500, **workers)

    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    model = resnet(arguments.model, arguments.width).to(memory_format=layout)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    autocast = lambda: torch.autocast("cpu", torch.bfloat16, enabled=arguments.dtype == "bfloat16")  # noqa: E731
    accuracy = 0.0

    def epoch() -> None:
        nonlocal accuracy
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad(set_to_none=True)
            with autocast():
                loss = F.cross_entropy(model(images.to(memory_format=layout)), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for images, labels in test_loader:
                with autocast():
                    logits = model(images.to(memory_format=layout))
                correct += (logits.argmax(1) == labels).sum().item()
        accuracy = correct / len(test_set)

    report("epoch", epoch, arguments)


if __name__ == "__main__":
    main()
