"""What the peers share: the common options, and the protocol with `Benchmarks/run`."""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch


def parser(description: str, warmup: int, repetitions: int) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    result.add_argument("--threads", type=int, default=torch.get_num_threads())
    result.add_argument("--warmup", type=int, default=warmup, help="repetitions before the measured ones")
    result.add_argument("--repetitions", type=int, default=repetitions)
    return result


def report(job: str, work: Callable[[], object], arguments: argparse.Namespace, **extra: object) -> None:
    """Runs `work` and prints one JSON line with the seconds of each measured repetition; extra values may be functions called at the end."""
    for _ in range(arguments.warmup):
        work()
    seconds = []
    for _ in range(arguments.repetitions):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    values = {key: value() if callable(value) else value for key, value in extra.items()}
    print(
        json.dumps(
            {"job": job, "seconds": seconds, "median": statistics.median(seconds), "torch": torch.__version__, **values}
        )
    )
