#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/deploy/kind.hpp"
#include "mtl/io/json.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// A model's architecture as JSON: its kind with its fields, the parts among them described in the
/// same way, and "heads" by task:
///
///     {"kind": "HardSharing", "encoder": {"kind": "Mlp", "input_size": 10, ...}, "input": "",
///      "heads": {"price": {"kind": "nn.Linear", "in_features": 64, ...}}}
///
/// A part that is no kind of the library's or of `kinds` is described by what it is called and
/// holds: {"kind": "MyHead", "own": true, "parts": {...}, "weights": {"scale": [64]}, ...}.
io::Json model_description(const Model& model, const Kinds& kinds = {});

/// A model of this description, with `weights` in it, in evaluation mode. `tasks`, in the order of
/// the description's heads, lend names, losses and metrics; their heads are made.
/// Error: a kind that neither the library nor `kinds` knows; a model of one's own; fields that are
/// missing, of another type or out of their range; sizes that ask for other weights than there are.
/// Nothing that a description says makes it take more memory than the weights do.
std::shared_ptr<Model> make_model(const io::Json& description, const NamedTensors& weights,
                                  std::vector<Task> tasks, const Kinds& kinds = {});

namespace deploy_detail {

/// The library's kinds.
const std::vector<Kind>& own_kinds();

}  // namespace deploy_detail
}  // namespace mtl
