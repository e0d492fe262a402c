#!/usr/bin/env python3
"""Looks whether every link of the repository's Markdown leads somewhere: files, folders, anchors of headings, pictures.

    scripts/docs/check_links.py [FOLDER]        default: the repository this file lies in

Prints what leads nowhere and exits with 1. Addresses of the internet are looked at for their form only: what they lead to is
not this repository's to promise, and the check runs without a network.
"""

import pathlib
import re
import sys

from github_slug import github_slug

FENCE = re.compile(r"^(```|~~~)")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\)[^()\s]*)*)\)")
ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+\.[a-z]{2,}(/\S*)?$")


def blocks(text):
    """The text in parts, [(is a block of code, part)]."""
    parts, inside = [], False
    for line in text.splitlines(keepends=True):
        fence = FENCE.match(line.strip())
        code = inside or bool(fence)
        if not parts or parts[-1][0] != code:
            parts.append([code, ""])
        parts[-1][1] += line
        if fence:
            inside = not inside
    return parts


def anchors(path):
    found, inside, counts = set(), False, {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if FENCE.match(line.strip()):
            inside = not inside
        heading = re.match(r"#{1,6} (.*)", line)
        if heading and not inside:
            slug = github_slug(heading[1])
            count = counts[slug] = counts.get(slug, -1) + 1
            found.add(slug if count == 0 else f"{slug}-{count}")
        found.update(re.findall(r'<a id="([^"]+)"', line))
    return found


def faults_of(page, root):
    number = 1
    for code, part in blocks(page.read_text(encoding="utf-8")):
        # Code within a line is no link, and takes as many characters as before, so that lines are counted right.
        plain = "" if code else re.sub(r"`[^`\n]*`", lambda match: " " * len(match[0]), part)
        for link in LINK.finditer(plain):
            target = link[1]
            place = f"{page.relative_to(root)}:{number + plain.count(chr(10), 0, link.start())}: {target}"
            if re.match(r"[a-z]+:", target):
                if not ADDRESS.match(target) and not target.startswith("mailto:"):
                    yield f"{place} is no address"
                continue
            path, _, anchor = target.partition("#")
            to = (page.parent / path).resolve() if path else page
            if not to.exists():
                yield f"{place} leads to no file"
            elif root not in to.parents and to != root:
                yield f"{place} leads out of the repository"
            elif anchor and to.suffix == ".md" and anchor not in anchors(to):
                yield f"{place} leads to no heading"
        number += part.count("\n")


def pages_of(root):
    ignored = {"build", ".git", "runs"}
    for page in sorted(root.rglob("*.md")):
        parts = page.relative_to(root).parts
        if not any(part in ignored or part.startswith("build-") for part in parts):
            yield page


def main():
    here = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here
    faults = [fault for page in pages_of(root) for fault in faults_of(page, root)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
