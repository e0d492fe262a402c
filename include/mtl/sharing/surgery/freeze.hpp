#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "mtl/core/error.hpp"
#include "mtl/sharing/model_ref.hpp"

namespace mtl {
namespace surgery_detail {

inline void set_learning(Model& model, std::string_view part, bool learns) {
  const std::string below = std::string(part) + ".";
  bool found = false;
  for (auto& item : model.named_parameters())
    if (part.empty() || item.key() == part || item.key().starts_with(below)) {
      item.value().set_requires_grad(learns);
      if (!learns) item.value().mutable_grad().reset();  // optimizers would go on with the last
      found = true;
    }
  if (found) return;
  std::string names;
  for (const auto& child : model.named_children())
    names += (names.empty() ? "" : ", ") + child.key();
  throw Error("no parameter of the model lies in \"{}\"; its parts: {}", part, names);
}

}  // namespace surgery_detail

/// Parameters whose names begin with `part` ("encoder", "heads.ear", "encoder._blocks.0"; "": all)
/// learn no more: no gradient reaches them, the last one is gone, and an optimizer that is made
/// anew leaves them as they are. Mind hold_frozen where there are running statistics.
/// Error: no parameter lies there.
inline void freeze(ModelRef model, std::string_view part) {
  surgery_detail::set_learning(*model, part, false);
}

/// The same parameters learn again, in an optimizer that is made anew.
inline void unfreeze(ModelRef model, std::string_view part) {
  surgery_detail::set_learning(*model, part, true);
}

/// Puts each module whose parameters are all frozen (and which has some) into evaluation mode, so
/// that BatchNorm neither counts batches nor normalises by them and dropout drops nothing: what is
/// frozen predicts what it did. train() takes it back, so call it behind that: in a loop of one's
/// own after `model->train()`, in the trainer by the callback mtl::HoldFrozen.
inline void hold_frozen(ModelRef model) {
  for (const auto& module : model->modules(/*include_self=*/false)) {
    const auto parameters = module->parameters();
    if (!parameters.empty() && std::none_of(parameters.begin(), parameters.end(),
                                            [](const Tensor& p) { return p.requires_grad(); }))
      module->eval();
  }
}

}  // namespace mtl
