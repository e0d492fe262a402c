#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "mtl/core/tensor.hpp"

namespace mtl::io {

/// The free text that a safetensors file carries beside its tensors.
using Metadata = std::map<std::string, std::string>;

/// Reads every tensor of a safetensors file onto the CPU, in the order of its header; `metadata`,
/// where given, receives the file's text. Kinds: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL. A file of
/// `write_safetensors` is held against its digest; those of other programs have none.
/// Error, with the file and where there is one the tensor: it is missing or damaged (its digest,
/// truncated, header beyond the file, no JSON, a name twice, unknown kind, shape or offsets that
/// disagree, gaps or overlaps between tensors).
/// Format: https://github.com/huggingface/safetensors
NamedTensors read_safetensors(const std::filesystem::path& path, Metadata* metadata = nullptr);

/// Writes tensors from any device and of any strides, atomically. The header keeps their order; the
/// bytes stand by decreasing element size, so that every tensor is aligned to its elements and the
/// first one to 8 bytes. The file's own metadata get a digest of all its bytes, "mtl.digest" and
/// "mtl.digest_is", which `read_safetensors` checks and keeps to itself.
/// Error: the file cannot be written, a tensor is undefined, without numbers (meta), sparse or of a
/// type that the format does not know, text is not UTF-8.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const Metadata& metadata = {});

/// Whether they can be written, for who would know it long before.
/// Error: as of `write_safetensors`, for a tensor's sake.
void check_safetensors(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace mtl::io
