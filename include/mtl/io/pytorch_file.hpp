#pragma once

#include <filesystem>

#include "mtl/core/tensor.hpp"

namespace mtl::io {

/// Reads the tensors of a file that PyTorch wrote (torch.save, 1.6 or newer) onto the CPU:
///
///     torch.save(model.state_dict(), "model.pt")           # "fc.weight", "fc.bias"
///     torch.save({"model": model.state_dict(), "epoch": 3}, "last.pt")    # "model.fc.weight", ...
///
/// Names are the keys of dictionaries, and places in lists, joined by dots, in the order of the
/// file; numbers, texts and the like beside the tensors are passed over. Such a file is a pickle, a
/// program that builds values. Of what a pickle may ask for, only dictionaries, lists, tuples,
/// texts, numbers and PyTorch's own way to put a tensor on its storage are done here: nothing is
/// imported or run, and no more memory is taken than in proportion to the file. Tensors that share
/// a storage share it here, too.
/// Error, with the file: no such file, damaged (each record has a checksum), or of before 1.6; a
/// whole module or another object of Python's, TorchScript; a tensor that is sparse, quantized,
/// expanded or of a type that safetensors does not know either.
NamedTensors read_pytorch(const std::filesystem::path& path);

/// Whether a file begins as one of torch.save's does. Error: it cannot be read.
bool is_pytorch_file(const std::filesystem::path& path);

}  // namespace mtl::io
