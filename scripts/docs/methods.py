"""A page for each combiner: what its header says, what docs/combiners.md says, its options, its picture, its names elsewhere."""

import itertools
import pathlib
import re

from headers import items_of, table_of_options
from pictures import Pictures

KINDS = {
    "losses": "loss combiner: it weighs the losses, and costs one backward pass",
    "gradients": "gradient combiner: it compares the tasks' gradients on what they share",
    "bilevel": "bilevel combiner: it learns the weights from validation losses",
}
SITES = {True: "shared parameters (default) or, cheaper, the representation: option `at`", False: ""}


def section(text, heading):
    """What stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    match = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.M | re.S)
    return match[1].strip() if match else ""


def table_rows(text):
    """The rows of the first table in a text: lists of cells, without head."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("|")), len(lines))
    rows = list(itertools.takewhile(lambda line: line.startswith("|"), lines[start:]))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def table_head(text):
    row = next(line for line in text.splitlines() if line.startswith("|"))
    return [cell.strip() for cell in row.split("|")[1:-1]]


class Methods:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.page = (self.root / "docs/combiners.md").read_text(encoding="utf-8")
        self.pictures = Pictures(self.root)
        self.names_page = (self.root / "docs/names.md").read_text(encoding="utf-8")
        source = (self.root / "src/combine/make_combiner.cpp").read_text(encoding="utf-8")
        listed = re.search(r"known<([A-Z][^>]*)>\(\)", source, re.S)[1]
        classes = re.findall(r"\w+", re.sub(r"//.*", "", listed))
        self.methods = []
        headers = [h for kind in KINDS for h in sorted((self.root / "include/mtl/combine" / kind).glob("*.hpp"))]
        texts = {h: h.read_text(encoding="utf-8") for h in headers}
        for name in classes:
            header = next(h for h in headers if re.search(rf"^class {name} ", texts[h], re.M))
            item = next(i for i in items_of(header) if i.name == name)
            key = re.search(rf'class {name} .*?string_view name = "(\w+)"', texts[header], re.S)[1]
            self.methods.append((key, name, header, item))

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for method in self.methods:
            (folder / f"{method[0]}.md").write_text(self.page_of(*method), encoding="utf-8")
            (folder / f"{method[0]}.svg").write_text(self.pictures.svg(method[0]), encoding="utf-8")
        (folder / "index.md").write_text(self.index(), encoding="utf-8")

    def index(self):
        text = ("# Every method, a page each\n\nWritten from the headers, [the page of all combiners](../combiners.md) and the "
                "[names](../names.md). Which one when: [from what was measured](../which_method.md).\n")
        for kind, what in KINDS.items():
            text += f"\n## {kind.capitalize()}\n\nA {what}.\n\n| method | class | in a sentence |\n|---|---|---|\n"
            for key, name, header, item in self.methods:
                if header.parent.name == kind:
                    paragraph = re.split(r"\n\n|\n    ", item.doc)[0].rstrip(".:") + "."
                    sentence = re.match(r".*?\.(?=\s|$)", paragraph, re.S)[0]
                    text += f"| [{key}]({key}.md) | `{name}` | {' '.join(sentence.split()).replace('|', '&#124;')} |\n"
        return text

    def page_of(self, key, name, header, item):
        kind = header.parent.name
        where = header.relative_to(self.root)
        text = f"# {key} — {name}\n\nA {KINDS[kind]}. `mtl::{name}`, or `mtl::make_combiner(\"{key}\")`.\n\n{item.doc}\n"
        entry = section(self.page, f"### {key} — `{name}`")
        assert entry, f"docs/combiners.md has no entry for {key}"
        text += f"\n## When, and with what\n\n{entry}\n"
        facts = []
        at = any(option.name == "at" for option in item.options)
        if kind == "gradients":
            heads = re.search(r"heads (plain|weighted)", " ".join(entry.split()))
            if heads:
                facts.append(("task-specific parameters receive", "the gradient of `sum w_t l_t`" if heads[1] == "weighted" else "the gradient of `sum l_t`"))
        signs = [sign for sign, methods in table_rows(self.page[self.page.index("| losses | methods |"):]) if f"`{key}`" in methods]
        if len(signs) > 1:
            facts.append(("losses may be", f"{' or '.join(signs)}, depending on its options ([table](../combiners.md))"))
        else:
            facts.append(("losses may be", f"{signs[0] if signs else 'of any sign'}"))
        published = {row[0].strip("`"): row for row in table_rows(section(self.page, "## As published"))}
        assert key in published, f"docs/combiners.md, \"As published\", has no row for {key}"
        head = table_head(section(self.page, "## As published"))
        facts += [(title, cell) for title, cell in zip(head[1:], published[key][1:]) if cell]
        for row in table_rows(section(self.names_page, "## Combiners")):
            if row[0].strip("`") == key:
                facts += [(f"in {title}", cell) for title, cell in zip(table_head(section(self.names_page, "## Combiners"))[1:], row[1:]) if cell]
        if facts:
            text += "\n| | |\n|---|---|\n" + "".join(f"| {what} | {value} |\n" for what, value in facts if value)
        if item.options:
            text += f"\n## Options\n\nIn C++ members of `mtl::{name}::Options`; on a command line, where they have a text, behind a colon.\n\n"
            text += table_of_options(item.options) + "\n"
        text += self.pictures.text(key) + self.toy(key)
        members = [member for member in item.members if member.doc]
        if members:
            text += "\n## Members\n"
            for member in members:
                text += f"\n```cpp\n{member.declaration};\n```\n\n{member.doc}\n"
        return text + f"\nHeader: [{where}](/{where})\n"

    def toy(self, key):
        """Where its way over the toy of the papers ends, for a method that walks there."""
        page = (self.root / "docs/toy.md").read_text(encoding="utf-8")
        for name, *ends in table_rows(page):
            if re.split(r"\W", name)[0] == key:
                others = f"; the others: {ends[1]}" if ends[1] else ""
                return (f"\nOn [the papers' toy of two opposed losses](../toy.md), of five starts in the Pareto set after 35,000 steps: "
                        f"{ends[0]}{others}.\n")
        return ""
