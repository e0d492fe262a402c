#include "python_module.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "mtl/deploy/description.hpp"
#include "python_expression.hpp"

namespace mtl::deploy_detail {
namespace {

using io::Json;

constexpr std::string_view beginning =
    R"py("""A trained multitask network as a plain PyTorch module; it needs torch and nothing else.

    from model import load
    model = load()                           # takes weights.safetensors beside this file
    predictions = model({"input": x})        # or model(x); by task, as the heads give them

Written by the C++ library mtl; the file is yours to read and to change.
"""
import json
import math
import os
import struct
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


def build():
    """The network as it was made, with new weights."""
    return )py";

constexpr std::string_view loading = R"py(


def load(weights=None):
    """The trained network in evaluation mode, on the CPU."""
    model = build()
    for part in model.modules():
        if getattr(type(part), "forward", None) is not_filled_in:
            not_filled_in(part)
    folder = os.path.dirname(os.path.abspath(__file__))
    model.load_state_dict(read_safetensors(weights or os.path.join(folder, "weights.safetensors")),
                          assign=True)
    for part in model.modules():
        if hasattr(type(part), "settle"):
            part.settle()
    return model.eval()


def read_safetensors(path):
    """Tensors by name; the format is https://github.com/huggingface/safetensors"""
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16,
             "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32, "I16": torch.int16,
             "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            kind, shape, (begin, end) = types[entry["dtype"]], entry["shape"], entry["data_offsets"]
            tensors[name] = (torch.frombuffer(data[begin:end], dtype=kind).reshape(shape)
                             if end > begin else torch.empty(shape, dtype=kind))
    return tensors


class ByName(nn.Module):
    """What holds parts by the names of tasks, which may be those of members of nn.Module."""

    def train(self, mode=True):
        object.__setattr__(self, "training", mode)
        for part in self.children():
            part.train(mode)
        return self


class Parts(ByName):
    """Modules by name; nn.ModuleDict takes fewer names."""

    def __init__(self, parts=()):
        super().__init__()
        for name, part in dict(parts).items():
            self.add(name, part)

    def add(self, name, part):
        self._modules[str(name)] = part

    def items(self):
        return self._modules.items()

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, name):
        return str(name) in self._modules

    def __getitem__(self, name):
        return self._modules[str(name)]


class Weights(ByName):
    """Parameters by name."""

    def __init__(self, shapes):
        super().__init__()
        for name, shape in shapes.items():
            self._parameters[str(name)] = nn.Parameter(torch.zeros(shape))

    def items(self):
        return self._parameters.items()

    def __getitem__(self, name):
        return self._parameters[str(name)]


def not_filled_in(self, *_):
    name = type(self).__name__
    raise NotImplementedError(f"model.py: {name} is a module of one's own, and its forward() is "
                              f"not written yet; see class {name}")


class OwnPart(nn.Module):
    """What a module of one's own holds, under its C++ names."""

    def __init__(self, parts, weights={}, buffers={}):
        super().__init__()
        self._modules.update(parts)
        for name, shape in weights.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
        for name, shape in buffers.items():
            self.register_buffer(name, torch.zeros(shape))


def input_of(inputs, name):
    """The input of that name, or the only one."""
    if isinstance(inputs, torch.Tensor):
        return inputs
    if name:
        return inputs[name]
    (value,) = inputs.values()
    return value


ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu, "tanh": torch.tanh,
               "leaky_relu": F.leaky_relu, "relu6": F.relu6}
)py";

/// Every description in it, parts before what they are part of.
void collect(const Json& value, std::vector<const Json*>& found) {
  if (!value.is_structured()) return;
  for (const Json& item : value) collect(item, found);
  if (is_description(value)) found.push_back(&value);
}

std::string body_text(const std::string& body) {
  std::string text = "\n    def forward(self, x):\n        ";
  for (const char c : body) {
    text += c;
    if (c == '\n') text += "        ";
  }
  return text + "\n";
}

/// A class of one's own: what it holds, and its forward() or the place for it.
std::string own_class(const Json& description, bool is_model, const std::string* body) {
  std::string held;
  const auto add = [&](const std::string& name, const std::string& what) {
    held += "        self." + name + " = " + what + "\n";
  };
  for (const auto& item : description.at("parts").items())
    add(item.key(), item.value().is_null() ? "None" : python_name(item.value()) + "(...)");
  for (const char* list : {"weights", "buffers"})
    for (const auto& item : description.at(list).items())
      if (item.key().find('.') == std::string::npos)
        add(item.key(), "a tensor " + io::json_text(item.value(), -1));
  std::string text = "\n\nclass " + python_name(description) + "(OwnPart):\n";
  text += "    \"\"\"A module of one's own. It holds\n" + held;
  if (body != nullptr) {
    text += "    \"\"\"\n" + body_text(*body);
    if (is_model) text.replace(text.rfind("(self, x)"), 9, "(self, inputs)");
    return text;
  }
  text += is_model ? "    To fill in: def forward(self, inputs), a dict of tensors by name, which "
                     "returns the\n    predictions as a dict by task"
                   : "    To fill in: def forward(self, x), which returns a tensor";
  text += " as the C++ forward() does, in place of\n    the line below.\n    \"\"\"\n\n";
  return text + "    forward = not_filled_in\n";
}

}  // namespace

std::string python_module(const Json& description, const Kinds& kinds,
                          const std::map<std::string, std::string>& forward) {
  std::string text(beginning);
  text += python_expression(description, 4, 11);
  text += loading;
  std::vector<const Json*> all;
  collect(description, all);
  std::set<std::string> written;
  for (const Json* one : all) {
    const auto name = one->at("kind").get<std::string>();
    if (one->contains("own")) {
      if (name == "Parts" || !written.insert(python_name(*one)).second) continue;
      const auto body = forward.find(name);
      text += own_class(*one, one == &description, body == forward.end() ? nullptr : &body->second);
      continue;
    }
    if (!written.insert(name).second) continue;
    for (const auto* list : {&kinds.described(), &own_kinds()}) {
      const auto kind = std::find_if(list->begin(), list->end(),
                                     [&](const Kind& known) { return known.name == name; });
      if (kind == list->end()) continue;
      if (list == &kinds.described() && kind->python.empty())
        throw Error(
            "export_python: kind {} of one's own says nothing of its Python; give it `python`, or "
            "leave it out of PythonOptions::kinds to get a class to fill in",
            name);
      if (!kind->python_needs.empty() && written.insert(kind->python_needs).second)
        text += "\n" + kind->python_needs;
      if (!kind->python.empty()) text += "\n" + kind->python;
      break;
    }
  }
  for (const auto& [name, body] : forward) {
    const bool found = std::any_of(all.begin(), all.end(), [&](const Json* one) {
      return one->contains("own") && one->at("kind") == name;
    });
    if (!found)
      throw Error(
          "export_python: forward was given for {}, and the model has no module of that "
          "kind that is one's own",
          name);
  }
  return text;
}

}  // namespace mtl::deploy_detail
