#!/usr/bin/env python3
"""Writes the documentation site's pages and mkdocs.yml from the repository; scripts/docs.sh builds the site from them.

    scripts/docs/make_site.py FOLDER

The pages of docs/ are taken as they are, in the order of docs/README.md, whose headings are the site's sections: a new page that
stands there is on the site. Pages of methods and the reference are written from the headers. Files of the repository that a page
links to come along as pages of source text.
"""

import os
import pathlib
import re
import shutil
import sys

import api
from check_links import blocks
from methods import Methods, table_rows

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOP = {"README.md": "index.md", "docs/README.md": "pages.md"}
CODE = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".sh": "bash", ".cmake": "cmake", ".txt": "cmake", ".yml": "yaml", ".json": "json"}
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^()\s]+)(\))")


class Site:
    def __init__(self, folder):
        self.pages = folder / "pages"
        self.copied = {}

    def place(self, path):
        """Where a file or folder of the repository stands on the site, relative to its pages."""
        path = str(path)
        if path in TOP:
            return TOP[path]
        if path.startswith("docs/") and not path.startswith("docs/snippets"):
            return path.removeprefix("docs/")
        if path.endswith(".md") and "/" not in path:
            return path.lower()
        return f"source/{path}.md"

    def write(self, to, text, source):
        """Writes a page; its links, relative to where it stands in the repository, become the site's. `/x` is the repository's root."""
        def change(match):
            before, target, after = match.groups()
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target) or not path:
                return match[0]
            whole = ROOT / path.lstrip("/") if path.startswith("/") else (ROOT / source).parent / path
            inside = os.path.relpath(os.path.normpath(whole), ROOT)
            if not (ROOT / inside).exists():
                return match[0]  # of a page that is written from the headers
            self.bring(inside)
            found = os.path.relpath(self.place(inside), pathlib.Path(to).parent)
            return before + found + ("#" + anchor if anchor else "") + after

        text = "".join(part if code else LINK.sub(change, part) for code, part in blocks(text))
        target = self.pages / to
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def bring(self, path):
        """A file that a page links to comes along: as it is from docs/, as a page of source text from elsewhere."""
        if path in self.copied:
            return
        self.copied[path] = True
        file = ROOT / path
        to = self.place(path)
        if path.endswith(".md"):
            self.write(to, file.read_text(encoding="utf-8"), path)
        elif path.startswith("docs/") and file.is_file() and not path.startswith("docs/snippets"):
            (self.pages / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, self.pages / to)
        else:
            files = [file] if file.is_file() else sorted(p for p in file.rglob("*") if p.is_file())
            text = f"---\nsearch:\n  exclude: true\n---\n# {path}\n"
            for each in files:
                language = CODE.get(each.suffix)
                if each.stat().st_size > 60000 or (language is None and each.name != "LICENSE"):
                    continue
                body = each.read_text(encoding="utf-8").rstrip("\n")
                title = f"\n## {each.relative_to(file)}\n" if len(files) > 1 else ""
                text += f"{title}\n~~~~{language or 'text'}\n{body}\n~~~~\n"
            target = self.pages / to
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def sections():
    """[(heading, [(title, page)])] of docs/README.md."""
    found = [("Documentation", [])]
    for line in (ROOT / "docs/README.md").read_text(encoding="utf-8").splitlines():
        heading = re.match(r"## (.*)", line)
        if heading:
            found.append((heading[1], []))
        for title, page in re.findall(r"\[([^\]]+)\]\(([\w-]+\.md)\)", line):
            if not any((title, page) in pages for _, pages in found):
                found[-1][1].append((title, page))
    return [(heading, pages) for heading, pages in found if pages]


def check_questions():
    """The home page leads to the questions, and each of the twenty to its answer: two clicks."""
    rows = table_rows((ROOT / "docs/questions.md").read_text(encoding="utf-8"))
    unanswered = [question for question, answer in rows if "](" not in answer]
    if len(rows) < 20 or unanswered:
        sys.exit(f"docs/questions.md: {len(rows)} questions, without a link: {unanswered}")
    if "(docs/questions.md)" not in (ROOT / "README.md").read_text(encoding="utf-8"):
        sys.exit("README.md does not lead to docs/questions.md")


def title_of(text):
    return text[0].upper() + text[1:].replace("_", " ")


def main():
    check_questions()
    folder = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(folder / "pages", ignore_errors=True)
    site = Site(folder)
    for top in ("README.md", "docs/README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        site.bring(top)
    navigation = [{"Home": "index.md"}]
    listed = sections()
    for heading, pages in listed:
        for _, page in pages:
            site.bring("docs/" + page)
        navigation.append({heading: [{title_of(title): page} for title, page in pages]})

    written = folder / "written"
    shutil.rmtree(written, ignore_errors=True)
    methods = Methods(ROOT)
    methods.write(written / "methods")
    api.write(ROOT, written / "reference")
    for page in sorted(written.rglob("*.md")):
        where = page.relative_to(written)
        site.write(str(where), page.read_text(encoding="utf-8"), f"docs/{where}")
    for picture in sorted(written.rglob("*.svg")):
        shutil.copyfile(picture, site.pages / picture.relative_to(written))
    navigation.insert(-1, {"Methods": [{"All methods": "methods/index.md"}] + [{m[0]: f"methods/{m[0]}.md"} for m in methods.methods]})
    rooms = [room for room in api.ROOMS if (written / f"reference/{room}.md").exists()]
    navigation.append({"Reference": [{"Rooms": "reference/index.md"}] + [{room: f"reference/{room}.md"} for room in rooms]})
    project = [{"All pages": "pages.md"}, {"Contributing": "contributing.md"}, {"Changes": "changelog.md"}]
    if (ROOT / "SECURITY.md").exists():
        site.bring("SECURITY.md")
        project.append({"Security": "security.md"})
    navigation.append({"Project": project})

    version = re.search(r'MTL_VERSION_STRING "(.*)"', (ROOT / "include/mtl/core/version.hpp").read_text(encoding="utf-8"))[1]
    settings = (pathlib.Path(__file__).parent / "mkdocs.yml").read_text(encoding="utf-8")
    settings = settings.replace("@version@", version).replace("@folder@", str(folder))
    (folder / "mkdocs.yml").write_text(settings + "nav:\n" + yaml_of(navigation, 1), encoding="utf-8")


def yaml_of(entries, depth):
    text = ""
    for entry in entries:
        for title, value in entry.items():
            head = "  " * depth + f'- "{title}":'
            text += head + "\n" + yaml_of(value, depth + 1) if isinstance(value, list) else f"{head} {value}\n"
    return text


if __name__ == "__main__":
    main()
