"""Encoding a text with the `tokenizers` package, from a string in memory to ids."""

import pathlib

from measure import parser, report
from tokenizers import Tokenizer

options = parser(__doc__, warmup=1, repetitions=5)
options.add_argument("--tokenizer", required=True)
options.add_argument("--text", required=True)
arguments = options.parse_args()

tokenizer = Tokenizer.from_file(arguments.tokenizer)
text = pathlib.Path(arguments.text).read_bytes().decode()
report("tokenizer", lambda: tokenizer.encode(text).ids, arguments)
