"""Draw every NAME.vl.json of a folder as NAME.svg, NAME.pdf, NAME.png beside it, and fetch the JavaScript that draws them in a page.

    python render.py FOLDER [--formats svg,pdf,png] [--bundle FILE]

Prints one JSON object: {"renderer": version, "failed": {name: message}}. An error while Vega runs is only written to standard
error, by native code, and a picture comes out all the same; so standard error is captured per figure, at the file descriptor.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

VEGA_LITE = "6.4"


class CapturedErrors:
    """Standard error of this process, native code included, as text."""

    def __enter__(self):
        sys.stderr.flush()
        self.kept = os.dup(2)
        self.file = tempfile.TemporaryFile()
        os.dup2(self.file.fileno(), 2)
        self.text = ""
        return self

    def __exit__(self, *_):
        sys.stderr.flush()
        os.dup2(self.kept, 2)
        os.close(self.kept)
        self.file.seek(0)
        self.text = self.file.read().decode("utf-8", "replace")
        self.file.close()
        sys.stderr.write(self.text)


def draw(vl, path, formats):
    """Draws one figure; returns what went wrong, or None."""
    name = path.name.removesuffix(".vl.json")
    captured = CapturedErrors()
    try:
        with captured:
            svg = vl.vegalite_to_svg(path.read_text(encoding="utf-8"), vl_version=VEGA_LITE)
            if "svg" in formats:
                (path.parent / f"{name}.svg").write_text(svg, encoding="utf-8")
            if "pdf" in formats:
                (path.parent / f"{name}.pdf").write_bytes(vl.svg_to_pdf(svg))
            if "png" in formats:
                (path.parent / f"{name}.png").write_bytes(vl.svg_to_png(svg, scale=2))
    except Exception as error:  # whatever it is, the caller wants to know in which figure
        return f"{type(error).__name__}: {error}"[:2000]
    errors = [line for line in captured.text.splitlines() if "ERROR" in line]
    return "\n".join(errors)[:2000] or None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--formats", default="svg,pdf,png")
    parser.add_argument("--bundle", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        import vl_convert as vl
    except ImportError as error:
        sys.exit(f"{sys.executable} has no vl-convert-python ({error})")
    formats = set(filter(None, arguments.formats.split(",")))
    failed = {}
    for path in sorted(arguments.folder.glob("*.vl.json")):
        message = draw(vl, path, formats)
        if message:
            failed[path.name.removesuffix(".vl.json")] = message
    if arguments.bundle:
        arguments.bundle.write_text(vl.javascript_bundle(vl_version=VEGA_LITE), encoding="utf-8")
    print(json.dumps({"renderer": vl.__version__, "failed": failed}))


main()
