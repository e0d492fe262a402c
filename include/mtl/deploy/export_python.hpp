#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {

/// Writes a model as Python has it into the folder `directory`, which is made: "model.py", a plain
/// PyTorch module to read and to change, and "weights.safetensors" beside it, under the same names.
/// Needed there is torch (2.1 or newer) and nothing else:
///
///     from model import load
///     predictions = load()({"input": x})     # or load()(x): by task, as the heads give them
///
/// In evaluation mode it gives what the model gives, within float rounding, for batches of any
/// size. Encoders, heads and ways of sharing of the library's and layers of torch's are written
/// whole. A module of one's own becomes a class with all its parts and weights in which forward()
/// is to be filled in; until then load() says so. `forward` fills it in here:
///
///     mtl::export_python(model, "houses", {.forward = {{"MyHead", "return self.linear(x)"}}});
///
/// Error: the folder or a file cannot be written; a layer of torch's has an option that is not
/// carried over; `forward` names a class that is not there.
struct PythonOptions {
  /// By class (without namespace and "Impl") the body of its forward(self, x): of a model,
  /// forward(self, inputs), `inputs` and what it returns a dict of tensors by name.
  std::map<std::string, std::string> forward = {};
  Kinds kinds = {};  ///< of one's own that bring their Python with them
};
void export_python(ModelRef model, const std::filesystem::path& directory,
                   const PythonOptions& options = {});

}  // namespace mtl
