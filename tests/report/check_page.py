"""Looks at a report: check_page.py FOLDER. Says what is wrong, a line each, and ends with 1.

report.html is well-formed, needs nothing from elsewhere, stays below 2 MB and says all that
report.json says.
"""
import html.parser
import json
import pathlib
import sys

VOID = {"meta", "img", "br", "hr", "link", "input"}
problems = []


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.ids, self.links, self.pictures = [], [], [], [], 0

    def look(self, tag, attributes):
        if tag in ("script", "link", "iframe", "object", "base"):
            problems.append(f"<{tag}> in the page")
        if tag in ("svg", "img"):
            self.pictures += 1
            if not dict(attributes).get("aria-label" if tag == "svg" else "alt"):
                problems.append(f"<{tag}> without a text for readers that see none")
        for name, value in attributes:
            value = value or ""
            if name.startswith("on"):
                problems.append(f"a program in {name}")
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href"):
                if value.startswith("#"):
                    self.links.append(value[1:])
                elif not value.startswith("data:image/png;base64,"):
                    problems.append(f"{name} leads elsewhere: {value[:60]}")
            if name in ("aria-label", "alt", "title"):
                self.text.append(value)

    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            problems.append(f"</{tag}> closes {self.open[-3:]} at {self.getpos()}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


def texts_of(value):
    """All that a reader should see of report.json."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("values", "picture"):
                yield from texts_of(item)


folder = pathlib.Path(sys.argv[1])
source = (folder / "report.html").read_bytes()
if len(source) >= 2_000_000:
    problems.append(f"{len(source)} bytes")
page = Page()
page.feed(source.decode("utf-8"))
page.close()
if page.open:
    problems.append(f"never closed: {page.open}")
doubles = {name for name in page.ids if page.ids.count(name) > 1}
if doubles:
    problems.append(f"names given twice: {sorted(doubles)[:5]}")
nowhere = set(page.links) - set(page.ids)
if nowhere:
    problems.append(f"links to nothing: {sorted(nowhere)[:5]}")
for address in ("http://", "https://", "url(http", "@import"):
    if address in source.decode("utf-8").replace("http://www.w3.org", ""):
        problems.append(f"{address} in the page")
seen = " ".join("".join(page.text).split())
report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
for text in texts_of(report):
    if " ".join(text.split()) not in seen:
        problems.append(f"only in report.json: {text[:80]!r}")
pieces = [piece for section in report["sections"] for piece in section["pieces"]]
drawn = [piece for piece in pieces if "picture" in piece]
for picture in drawn:
    if "values" not in picture:
        problems.append(f"{picture['picture']} does not say what it shows")
print(*problems, f"{page.pictures} pictures, {len(drawn)} in report.json", sep="\n")
sys.exit(1 if problems else 0)
