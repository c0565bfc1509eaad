"""Copies the encoded pictures of parquet files into one file, with an index: parquet.py FOLDER FILE …

The column of pictures holds {"bytes": …} or bytes, as Hugging Face's `Image` feature stores them; that of labels whole numbers or
text. Class names come from the feature's description in the files' metadata where there is one.
"""

import json
import os
import sys

import pyarrow
import pyarrow.parquet


def features(schema):
    """Hugging Face's description of the columns; empty when there is none."""
    try:
        return json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return {}


def column(schema, wanted, fits, what, file):
    """The first of the names that is there, otherwise the only column that fits."""
    for name in wanted:
        if name in schema.names:
            return name
    found = [field.name for field in schema if fits(field.type)]
    if len(found) != 1:
        sys.exit(f"{file}: no column {' or '.join(wanted)}, and {len(found)} of {', '.join(schema.names)} could be the {what}")
    return found[0]


def is_picture(kind):
    if pyarrow.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)


def is_label(kind):
    return pyarrow.types.is_integer(kind) or pyarrow.types.is_string(kind)


def main(folder, files):
    names, labels, places, position = None, [], [], 0
    with open(os.path.join(folder, "pictures.bytes"), "wb") as output:
        for file in files:
            with pyarrow.parquet.ParquetFile(file) as parquet:
                schema = parquet.schema_arrow
                picture = column(schema, ["image", "img"], is_picture, "pictures", file)
                label = column(schema, ["label", "labels", "fine_label"], is_label, "labels", file)
                names = names or features(schema).get(label, {}).get("names")
                for batch in parquet.iter_batches(batch_size=256, columns=[picture, label]):
                    for value, number in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist()):
                        content = value.get("bytes") if isinstance(value, dict) else value
                        if content is None or number is None:
                            sys.exit(f"{file}: row {len(labels)} has no picture or no label inside the file")
                        output.write(content)
                        labels.append(number)
                        places.append([position, position + len(content)])
                        position += len(content)
        output.flush()
        os.fsync(output.fileno())
    if any(isinstance(label, str) for label in labels):
        names = names or sorted(set(labels))
        numbers = {name: number for number, name in enumerate(names)}
        labels = [numbers[label] for label in labels]
    names = names or [str(number) for number in range(max(labels, default=-1) + 1)]
    index = {"classNames": names, "pictures": [[label, *place] for label, place in zip(labels, places)]}
    with open(os.path.join(folder, "index.json"), "w") as output:
        json.dump(index, output)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        sys.exit(f"{type(error).__name__}: {error}")
