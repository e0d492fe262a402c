"""Reads the library's headers: documentation blocks, the declarations under them, options with their reasons.

The headers keep to one layout (.clang-format, tests/house), so that lines and their indentation are enough: what stands at the
margin belongs to the namespace, what is indented to the class before it.
"""

import dataclasses
import re


@dataclasses.dataclass
class Field:
    """One option: its name in C++, its default, the reason beside it."""

    name: str
    type: str
    default: str
    why: str


@dataclasses.dataclass
class Item:
    """A documented declaration; members are those of a class."""

    declaration: str
    doc: str
    name: str
    members: list = dataclasses.field(default_factory=list)
    options: list = dataclasses.field(default_factory=list)


CLASS = re.compile(r"^(\s*)(?:template <.*> )?(?:class|struct) (\w+)(?: final)?(?: : [^;{]*)?(?: \{|$)")
FIELD = re.compile(r"^\s+([\w:<>,&() *]+?[ &>])(\w+(?: = [^,;]+, \w+)*)(?:\s*=\s*|)(\{[^;]*\}|[^;{]*);(?:\s*///< ?(.*))?$")


def markdown(lines):
    """The text of a block of `///`: lines indented by four stay code."""
    text, code = [], False
    for line in lines:
        is_code = line.startswith("    ")
        if is_code != code and text and text[-1] != "":
            text.append("")
        code = is_code
        text.append(line.rstrip())
    return linked("\n".join(text).strip("\n"))


def linked(text):
    """References with the address of their paper."""
    return re.sub(r"\barXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def declaration_from(lines, start):
    """The declaration that begins at a line, without body (an enumeration with its names), and the line behind its head."""
    if re.match(r"\s*enum class", lines[start]):
        text = ""
        for number in range(start, min(start + 40, len(lines))):
            text += re.sub(r"\s*//.*$", "", lines[number]).strip() + " "
            if "}" in text:
                return re.sub(r",? \}.*", " }", re.sub(r"\s+", " ", text)), number
    text, depth = "", 0
    for number in range(start, min(start + 25, len(lines))):
        line = re.sub(r"\s*//.*$", "", lines[number]).strip()
        for position, c in enumerate(line):
            depth += c in "(<[" and not line[max(0, position - 8):position].endswith("operator")
            depth -= c in ")]" or (c == ">" and line[position - 1] not in "-=" and depth > 0)
            if depth <= 0 and (c in ";{" or (c == ":" and re.search(r"\)\s*$", text) and line[position:position + 2] != "::")):
                return re.sub(r"\s+", " ", text).strip(), number
            text += c
        text += " "
    return re.sub(r"\s+", " ", text).strip(), start


def name_of(declaration):
    classes = re.match(r"(?:template <.*?> ?)?(?:class|struct|enum class|concept) (\w+)", declaration)
    if classes:
        return classes[1]
    concept = re.search(r"concept (\w+)", declaration)
    if concept:
        return concept[1]
    head = re.sub(r" = .*", "", declaration)
    function = re.search(r"([~\w]+|operator\S+)\s*\(", re.sub(r"^template <.*?> ", "", head))
    if function:
        return function[1]
    words = re.findall(r"\w+", head)
    return words[-1] if words else declaration


def fields_of(lines, start):
    """The fields of the struct whose head stands at a line."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    fields, above = [], []
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.startswith(" " * indent + "}"):
            break
        stripped = line.strip()
        if stripped.startswith("///<") and fields:
            fields[-1].why += " " + stripped[4:].strip()
        elif stripped.startswith("///"):
            above.append(stripped[3:].strip())
        elif "(" in stripped.split("=")[0].split("{")[0] and "std::function" not in stripped:
            if not stripped.startswith("//"):
                above = []
            if re.search(r"\{$", stripped):
                break  # functions come behind the fields
        else:
            match = FIELD.match(line)
            if match:
                kind, name, default, why = match.groups()
                names = [(name, default)]
                if " = " in name:  # double beta = 0.9, beta_sigma = 0;
                    parts = re.findall(r"(\w+) = ([^,]+)", f"{name} = {default}")
                    names = parts
                for each, value in names:
                    fields.append(Field(each, kind.strip(), value.strip(), " ".join([*above, why or ""]).strip()))
            above = []
    return fields


def items_of(path):
    """The documented public declarations of a header, in its order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    items, doc, classes, hidden, detail = [], [], [], False, False
    number = 0
    while number < len(lines):
        line = lines[number]
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if re.match(r"namespace \S*_detail \{", stripped) or stripped == "namespace detail {":
            detail = True
        elif detail and re.match(r"\}  // namespace \S*detail", stripped):
            detail = False
        if re.match(r"(private|protected):", stripped) and indent <= 1:
            hidden = True
        elif re.match(r"public:", stripped) or (stripped and indent == 0 and not stripped.startswith("#")):
            hidden = False
        if stripped.startswith("///") and not stripped.startswith("///<"):
            doc.append(line.lstrip()[3:].removeprefix(" "))
        elif stripped:
            opened = CLASS.match(line)
            while classes and classes[-1][0] >= indent and not re.match(r"(public|private|protected):|[})]", stripped):
                classes.pop()
            if doc and not detail and not hidden and not stripped.startswith(("#", "//")):
                declaration, _ = declaration_from(lines, number)
                item = Item(declaration, markdown(doc), name_of(declaration))
                parents = [c for c in classes if c[0] < indent]
                if not parents and indent == 0:
                    items.append(item)
                elif parents and parents[0][2] is not None and item.name not in (c[1] for c in parents if c[1].endswith("Options")) \
                        and not parents[-1][1].endswith("Options"):
                    parents[0][2].members.append(item)
                if opened and not parents:
                    classes.append((indent, opened[2], item))
                elif opened:
                    classes.append((indent, opened[2], parents[0][2]))
            elif opened:
                parents = [c for c in classes if c[0] < indent]
                item = parents[0][2] if parents else None
                if not parents and indent == 0 and opened[2].endswith("Options") and not detail and not hidden:
                    item = Item(declaration_from(lines, number)[0], "", opened[2])
                    items.append(item)
                classes.append((indent, opened[2], item))
            if opened and opened[2].endswith("Options"):
                owner = next((c[2] for c in classes if c[2] is not None), None)
                if owner is not None and not detail and not hidden:
                    owner.options.extend(fields_of(lines, number))
            doc = []
        else:
            doc = [] if doc and indent == 0 and not stripped else doc
        number += 1
    return items


def table_of_options(fields):
    rows = ["| option | default | why |", "|---|---|---|"]
    for field in fields:
        default = field.default if field.default not in ("", "{}") else "empty"
        rows.append(f"| `{field.name}` | `{default}` | {field.why.replace('|', '&#124;')} |")
    return "\n".join(rows)
