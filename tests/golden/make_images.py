"""Writes images.json: small picture files of every kind, and what Pillow makes of them.

Needs Pillow. Bytes and pixels are hexadecimal; pixels are RGB, row by row.
"""

import io
import json
import math
import pathlib

from PIL import Image

WIDTH, HEIGHT = 20, 14


def drawn():
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            image.putpixel((x, y), (
                round(127 + 90 * math.sin(0.5 * x)), round(127 + 90 * math.cos(0.4 * y + 0.1 * x)), 8 * x + 5 * y))
    return image


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


rgb = drawn()
rgba = rgb.copy()
rgba.putalpha(100)
deep = Image.new("I;16", (WIDTH, HEIGHT))
for y in range(HEIGHT):
    for x in range(WIDTH):
        deep.putpixel((x, y), 3000 * x + 200 * y)

files = {
    "rgb.jpg": encoded(rgb, "JPEG", quality=90),
    "progressive.jpg": encoded(rgb, "JPEG", quality=90, progressive=True),
    "grey.jpg": encoded(rgb.convert("L"), "JPEG", quality=90),
    "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG", quality=90),
    "rgb.png": encoded(rgb, "PNG"),
    "palette.png": encoded(rgb.quantize(16), "PNG"),
    "grey.png": encoded(rgb.convert("L"), "PNG"),
    "bits.png": encoded(rgb.convert("1"), "PNG"),
    "rgba.png": encoded(rgba, "PNG"),
    "deep.png": encoded(deep, "PNG"),
    "picture.gif": encoded(rgb, "GIF"),
    "picture.bmp": encoded(rgb, "BMP"),
    "picture.webp": encoded(rgb, "WEBP", lossless=True),
    "picture.tiff": encoded(rgb, "TIFF"),
}


def pixels(name):
    if name == "deep.png":  # the 16 bits scaled to 8, rounded
        grey = Image.new("L", (WIDTH, HEIGHT))
        grey.putdata([round(value / 257) for value in deep.getdata()])
        return grey.convert("RGB").tobytes().hex()
    return Image.open(io.BytesIO(files[name])).convert("RGB").tobytes().hex()


resized = []
for filter_name, filter_kind in [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)]:
    for size, box in [((9, 5), None), ((33, 40), None), ((7, 30), None), ((10, 10), (3, 2, 15, 13))]:
        resized.append({
            "filter": filter_name, "size": size, "box": box or (0, 0, WIDTH, HEIGHT),
            "pixels": rgb.crop(box).resize(size, filter_kind).tobytes().hex(),
        })

golden = {
    "size": [WIDTH, HEIGHT],
    "drawn": rgb.tobytes().hex(),
    "files": {name: {"bytes": data.hex(), "pixels": pixels(name)} for name, data in files.items()},
    "resized": resized,
}
pathlib.Path(__file__).with_name("images.json").write_text(json.dumps(golden, indent=1) + "\n")
