#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl::io {

/// The free text that a safetensors file carries beside its tensors.
using Metadata = std::map<std::string, std::string>;

/// Reads every tensor of a safetensors file onto the CPU, in the order of its header; `metadata`,
/// where given, receives the file's text. Kinds: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL. A missing
/// or damaged file (truncated, header beyond the file, no JSON, a name twice, unknown kind, shape
/// or offsets that disagree, gaps or overlaps between tensors) is an `mtl::Error` that names the
/// file and the tensor. Format: https://github.com/huggingface/safetensors
NamedTensors read_safetensors(const std::filesystem::path& path, Metadata* metadata = nullptr);

/// Writes tensors from any device and of any strides, atomically. The header keeps their order; the
/// bytes stand by decreasing element size, so that every tensor is aligned to its elements and the
/// first one to 8 bytes.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata = {});

}  // namespace mtl::io
