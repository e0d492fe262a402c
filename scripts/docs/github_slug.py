"""Anchors of headings as GitHub makes them, so that a link works in the repository and on the site."""

import re


def github_slug(text, separator="-"):
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "").strip().lower()
    text = re.sub(r"[^\w\- ]", "", text)
    return text.replace(" ", separator)
