"""Archives that torch.save does not write, or not of so little, from its own in pytorch/: python3 make_pytorch_archives.py"""
import pathlib
import zipfile

folder = pathlib.Path(__file__).parent / "pytorch"


def again(name, origin, changed=None, limit=1 << 31):
    """The files of an archive once more, some with other content or without any (None). Sizes and places above the limit
    are written as those above 2 GB are."""
    with zipfile.ZipFile(folder / f"{origin}.pt") as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    files.update({f"{origin}/{file}": content for file, content in (changed or {}).items()})
    zipfile.ZIP64_LIMIT = limit
    with zipfile.ZipFile(folder / f"{name}.pt", "w") as archive:
        for file, content in files.items():
            if content is not None:
                archive.writestr(zipfile.ZipInfo(file), content)


again("zip64", "state_dict", limit=0)
again("zip64_places", "state_dict", limit=800)  # above all sizes, below most places
again("torchscript", "state_dict", {"constants.pkl": b""})
again("no_pickle", "state_dict", {"data.pkl": None})
again("high_byte_first", "state_dict", {"byteorder": b"big"})
again("no_storage", "state_dict", {"data/0": None})
again("short_storage", "state_dict", {"data/0": bytes(20)})
again("no_bools", "views", {"data/11": b"\0\1\2"})
