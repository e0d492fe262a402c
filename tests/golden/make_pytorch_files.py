"""Small files of torch.save for tests/io/test_pytorch_file.cpp: python3 make_pytorch_files.py (PyTorch 2.1 or newer)."""
import os
import pathlib
from collections import OrderedDict

import torch

folder = pathlib.Path(__file__).parent / "pytorch"
folder.mkdir(exist_ok=True)


def save(name, what, **options):
    torch.save(what, folder / f"{name}.pt", **options)


def counted(*shape, first=0):
    """first, first + 1, ..."""
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float32) + first).reshape(shape)


net = torch.nn.Sequential(OrderedDict(fc=torch.nn.Linear(3, 2), norm=torch.nn.BatchNorm1d(2)))
with torch.no_grad():
    for first, value in enumerate(net.state_dict().values()):
        value.copy_(counted(*value.shape, first=10 * first))
save("state_dict", net.state_dict())

adam = torch.optim.Adam(net.parameters(), lr=0.1)
net(counted(4, 3)).sum().backward()
adam.step()
save("checkpoint", {"model": net.state_dict(), "optimizer": adam.state_dict(), "epoch": 3, "seed": 2**64 - 1,
                    "below": -2**40, "rate": 0.5, "note": "a b", "none": None, "good": True, "device": torch.device("cpu"),
                    "size": torch.Size([2, 3]), "list": [counted(2), (counted(1, first=5),)],
                    "parameter": torch.nn.Parameter(counted(2, first=7))})

# One storage, seen in several ways, and one of each type.
whole = counted(4, 3)
types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint8, torch.bool]
save("views", {"whole": whole, "transposed": whole.t(), "part": whole[1:3, 1], "scalar": whole[2, 2],
               "empty": torch.empty(0, 3),
               **{str(kind).split(".")[1]: torch.tensor([0, 1, 1]).to(kind) for kind in types}})

# What is refused.
save("module", net.fc)
save("before_1_6", net.state_dict(), _use_new_zipfile_serialization=False)
save("expanded", {"x": torch.ones(1).expand(1000)})
save("sparse", {"x": torch.eye(2).to_sparse()})
save("complex", {"x": torch.ones(2, dtype=torch.complex64)})
save("tensor", counted(2))
save("numbers", {"x": 1})


class Runs:
    def __reduce__(self):
        return os.system, ("touch /tmp/was_run",)


save("runs", {"x": Runs()})
