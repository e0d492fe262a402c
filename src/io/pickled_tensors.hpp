#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "mtl/core/tensor.hpp"

namespace mtl::io {

/// The numbers of the storage of that name, as a tensor [numbers] of that type.
using StorageReader =
    std::function<Tensor(const std::string& name, at::ScalarType type, int64_t numbers)>;

/// The tensors that a pickle of torch.save's builds, by their way through its dictionaries; see
/// read_pytorch. Error, with `file`: it asks for something else, or is damaged.
NamedTensors pickled_tensors(std::string_view pickle, const std::string& file,
                             const StorageReader& storage);

}  // namespace mtl::io
