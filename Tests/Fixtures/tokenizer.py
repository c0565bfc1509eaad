#!/usr/bin/env python3
"""Writes tokenizer.json and tokenizer-cases.json: what the `tokenizers` package trains and encodes, for Valley's tests to compare with.

    python3 -m venv .venv && .venv/bin/pip install tokenizers==0.23.3
    .venv/bin/python Tests/Fixtures/tokenizer.py            # write the fixtures
    .venv/bin/python Tests/Fixtures/tokenizer.py check FILE TEXT [IDS]

`check` loads a tokenizer.json that Valley wrote, as a user of the package would, and prints the ids of a text file; with a file of ids, such
as `valley tokenizer encode` prints, it compares them.
"""

import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

FOLDER = pathlib.Path(__file__).resolve().parent
END = "<|endoftext|>"
POOLS = [
    "abcXYZ'stmdlrve  \n\t0123.,!?-",
    "éüñßøåçïÅΩжёд",
    "\u00a0\u2003\u3000\u200b\u0085\u2028",
    "日本語漢字ひらがな한국어",
    "½²③Ⅷ٣७",
    "\U0001f600\U0001f468\u200d\U0001f469\u0301\u0300",
]


def odd_text(length: int) -> str:
    return "".join(random.choice(random.choice(POOLS)) for _ in range(length))


def any_character() -> str:
    while 0xD800 <= (value := random.randint(1, 0x10FFFF)) < 0xE000:
        pass
    return chr(value)


def trained(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Special tokens in the text are no words to learn from.
    tokenizer.train_from_iterator([part for text in texts for part in text.split(END)], trainer)
    return tokenizer


def kinds() -> list[list]:
    """Runs [first, end, kind] of the characters GPT-2's expression takes for letters, numbers and blanks."""
    words = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str

    def kind(value: int) -> str:
        if 0xD800 <= value < 0xE000:
            return ""
        for name, around in (("letter", "a"), ("number", "1"), ("", "!")):
            if len(words(around + chr(value) + around)) == 1:
                return name
        return "space"

    runs: list[list] = []
    for value in range(0x110000):
        name = kind(value)
        if runs and runs[-1][2] == name:
            runs[-1][1] = value + 1
        else:
            runs.append([value, value + 1, name])
    return [run for run in runs if run[2]]


def write() -> None:
    random.seed(1)
    license_text = (FOLDER.parents[1] / "LICENSE").read_text()
    corpus = license_text + END + odd_text(3000) + END + "aaaaaaaa aaaa aaa banana bananas " * 3
    tokenizer = trained([corpus])
    tokenizer.save(str(FOLDER / "tokenizer.json"))
    texts = ["", " ", "a", "\n", " \n ", "\n\n\nx", "it's 'S 'll we've they'd 're'd'", "  two  blanks ", "'", "x" * 300]
    texts += [license_text[start : start + 200] for start in range(0, 4000, 500)]
    texts += ["".join(random.choice("abn ") for _ in range(700)).replace(" ", "a")]  # a word for the queue
    texts += [odd_text(random.randint(1, 12)) for _ in range(400)]
    texts += [any_character() + random.choice(" a1.'") + any_character() for _ in range(300)]
    texts += [f"Once{END}upon {END}{END} a<|endoftex", END, f"{END[:-1]}{END}"]
    plain = json.loads(tokenizer.to_str())

    def variant(name: str, patch: dict) -> dict:
        """The ids when values at dotted paths are replaced."""
        content = json.loads(json.dumps(plain))
        for path, value in patch.items():
            *parents, key = path.split(".")
            place = content
            for parent in parents:
                place = place[parent]
            place[key] = value
        changed = Tokenizer.from_str(json.dumps(content))
        ids = [changed.encode(text).ids for text in texts]
        decoded = [changed.decode(each, skip_special_tokens=False) for each in ids]
        return {"name": name, "patch": patch, "ids": ids} | ({"decoded": decoded} if name == "plain" else {})

    size = tokenizer.get_vocab_size()
    taken = dict(plain["model"]["vocab"])

    def added(content: str, normalized: bool) -> dict:
        id = taken.setdefault(content, len(taken))
        fields = {"single_word": False, "lstrip": False, "rstrip": False, "special": not normalized}
        return {"id": id, "content": content, "normalized": normalized} | fields

    few = {token: id for token, id in plain["model"]["vocab"].items() if token not in ("b", "é", "Ã", "Ġ")}
    few["<unk>"] = size
    keeps = [pair for pair in plain["model"]["merges"] if all(t in few for t in (*pair, "".join(pair)))]
    unknown = {"model.vocab": few, "model.merges": keeps, "model.unk_token": "<unk>"}
    cases = [
        variant("plain", {}),
        variant("prefix space", {"pre_tokenizer.add_prefix_space": True}),
        variant("no words", {"pre_tokenizer.use_regex": False}),
        variant("whole words first", {"model.ignore_merges": True, "model.merges": plain["model"]["merges"][:40]}),
        variant("unknown bytes left out", {"model.vocab": few, "model.merges": keeps}),
        variant("unknown bytes", unknown),
        variant("unknown bytes together", unknown | {"model.fuse_unk": True}),
        variant(
            "more added tokens",
            {
                "added_tokens": plain["added_tokens"]
                + [added("an", True), added("ban", False), added("banana", True)]
                + [added("License", True), added("the", False), added("they", False)]
            },
        ),
    ]
    body = {"tokenizers": tokenizers.__version__, "corpus": corpus, "texts": texts, "kinds": kinds(), "cases": cases}
    path = FOLDER / "tokenizer-cases.json"
    path.write_text(json.dumps(body, separators=(",", ":"), ensure_ascii=True) + "\n")
    assert path.stat().st_size < 1_000_000
    print(f"{path.name}: {len(texts)} texts, {len(cases)} cases, {path.stat().st_size / 1e3:.0f} kB")


def check(file: str, text: str, expected: str | None = None) -> None:
    with open(text, newline="", encoding="utf-8") as lines:
        ids = Tokenizer.from_file(file).encode(lines.read()).ids
    if expected is None:
        print(*ids)
    elif ids != [int(word) for word in pathlib.Path(expected).read_text().split()]:
        sys.exit("the ids differ")
    else:
        print(f"{len(ids)} equal ids")


if __name__ == "__main__":
    check(*sys.argv[2:]) if sys.argv[1:2] == ["check"] else write()
