"""The reference: a page a room, a section a header, from the documentation blocks of the headers."""

import re

from headers import items_of, table_of_options

ROOMS = ["core", "io", "data", "nn", "task", "combine", "sharing", "train", "evaluate", "deploy", "report"]


def questions(root):
    """What each room is for, as the README's table has it."""
    text = (root / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.M))


def code(declaration):
    return f"```cpp\n{declaration};\n```\n"


def page_of_room(root, room, question):
    text = f"# {room}\n\n{question[0].upper()}{question[1:]} What the headers of `mtl/{room}` say; shapes in brackets, units by name.\n"
    for header in sorted((root / "include/mtl" / room).rglob("*.hpp")):
        items = [item for item in items_of(header) if item.doc or item.options]
        if not items:
            continue
        name = header.relative_to(root / "include")
        text += f"\n## {name}\n\n[`#include \"{name}\"`](/include/{name})\n"
        for item in items:
            text += f"\n### {item.name}\n\n{code(item.declaration)}\n{item.doc}\n"
            if item.options:
                text += f"\n{table_of_options(item.options)}\n"
            for member in item.members:
                if member.doc:
                    text += f"\n{code(member.declaration)}\n{member.doc}\n"
    return text


def write(root, folder):
    folder.mkdir(parents=True, exist_ok=True)
    asked = questions(root)
    index = "# Reference\n\nWritten from the headers. A room includes only rooms above it.\n\n| room | its one question |\n|---|---|\n"
    for room in ROOMS:
        if not (root / "include/mtl" / room).exists():
            continue
        question = asked.get(room, "")
        (folder / f"{room}.md").write_text(page_of_room(root, room, question or room), encoding="utf-8")
        index += f"| [{room}]({room}.md) | {question} |\n"
    (folder / "index.md").write_text(index, encoding="utf-8")
