"""Loss and accuracy at points of weight space, on a line between two networks or on a plane through three: for each point
a copy of the network, its state dictionary combined tensor by tensor, and a pass over the test set, which lies in memory
ready to use. BatchNorm statistics are combined like weights."""

import argparse
import copy

import torch
import torch.nn.functional as F
from measure import parser, report
from models import resnet


def main() -> None:
    options = parser(__doc__, warmup=0, repetitions=1)
    options.add_argument("--model", default="resnet18")
    options.add_argument("--width", type=int, default=16)
    options.add_argument("--pictures", type=int, default=10_000)
    options.add_argument("--points", type=int, default=25, help="of the path")
    options.add_argument("--plane", type=int, help="a plane of so many points a side instead")
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=False)
    arguments = options.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    models = [resnet(arguments.model, arguments.width).to(memory_format=layout).eval() for _ in range(3)]
    images = torch.randn(arguments.pictures, 3, 32, 32).contiguous(memory_format=layout)
    labels = torch.randint(10, (arguments.pictures,))
    states = [model.state_dict() for model in models]

    def measure(combine) -> tuple[float, float]:
        model = copy.deepcopy(models[0])
        model.load_state_dict(
            {
                key: combine(*(state[key] for state in states)) if value.is_floating_point() else value
                for key, value in states[0].items()
            }
        )
        loss, correct = 0.0, 0
        for x, y in zip(images.split(arguments.batch), labels.split(arguments.batch)):
            logits = model(x)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            correct += (logits.argmax(1) == y).sum().item()
        return loss / len(labels), correct / len(labels)

    def path() -> None:
        for t in torch.linspace(0, 1, arguments.points).tolist():
            measure(lambda a, b, c, t=t: (1 - t) * a + t * b)

    def plane() -> None:
        def flat(state):
            return torch.cat([value.double().flatten() for value in state.values() if value.is_floating_point()])

        a, b, c = map(flat, states)
        p = float((c - a) @ (b - a) / ((b - a) @ (b - a)))
        grid = torch.linspace(-0.2, 1.2, arguments.plane).tolist()
        for beta in grid:
            for alpha in grid:
                measure(lambda a, b, c, x=alpha, y=beta: a + x * (b - a) + y * ((c - a) - p * (b - a)))

    with torch.no_grad():
        report("plane" if arguments.plane else "path", plane if arguments.plane else path, arguments)


if __name__ == "__main__":
    main()
