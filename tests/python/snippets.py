"""Runs the Python snippets of a page, each by itself, and shows what they print."""

import pathlib
import re
import sys


def main(page: str) -> None:
    text = pathlib.Path(page).read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    if not snippets:
        sys.exit(f"{page}: there is no snippet")
    for number, snippet in enumerate(snippets, start=1):
        print(f"python: snippet {number} of {len(snippets)}", flush=True)
        exec(compile(snippet, f"{page}, snippet {number}", "exec"), {})


main(sys.argv[1])
