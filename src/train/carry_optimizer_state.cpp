#include "mtl/train/carry_optimizer_state.hpp"

#include <fmt/format.h>

#include <string>
#include <typeinfo>
#include <unordered_map>

#include "mtl/core/error.hpp"
#include "mtl/train/learning_rates.hpp"
#include "mtl/train/optimizer_state.hpp"

namespace mtl {
namespace {

/// "<group>.<parameter>." as optimizer_state calls the parameters of an optimizer.
std::unordered_map<const at::TensorImpl*, std::string> places_in(
    const torch::optim::Optimizer& optimizer) {
  std::unordered_map<const at::TensorImpl*, std::string> places;
  const auto& groups = optimizer.param_groups();
  for (size_t g = 0; g < groups.size(); ++g)
    for (size_t p = 0; p < groups[g].params().size(); ++p)
      places[groups[g].params()[p].unsafeGetTensorImpl()] = fmt::format("{}.{}.", g, p);
  return places;
}

}  // namespace

void carry_optimizer_state(torch::optim::Optimizer& from, torch::optim::Optimizer& to,
                           const std::vector<KeptTensor>& kept) {
  if (typeid(from) != typeid(to))
    throw Error(
        "carry_optimizer_state: the optimizers are of different kinds, and what one remembers "
        "means nothing to the other; begin with nothing remembered, or make the same one");
  const NamedTensors remembered = optimizer_state(from);
  const auto before = places_in(from), after = places_in(to);
  NamedTensors state;
  state.insert("learning_rates", torch::tensor(learning_rates(to), torch::kDouble));
  for (const KeptTensor& tensor : kept) {
    const auto old_place = before.find(tensor.before.unsafeGetTensorImpl());
    const auto new_place = after.find(tensor.after.unsafeGetTensorImpl());
    if (old_place == before.end() || new_place == after.end()) continue;  // a buffer, or frozen
    for (const auto& item : remembered) {
      if (!item.key().starts_with(old_place->second)) continue;
      const auto name = new_place->second + item.key().substr(old_place->second.size());
      if (!state.contains(name)) state.insert(name, item.value());
    }
  }
  load_optimizer_state(to, state);
}

}  // namespace mtl
