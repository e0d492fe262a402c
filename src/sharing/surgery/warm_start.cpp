#include "mtl/sharing/surgery/warm_start.hpp"

#include "mtl/core/error.hpp"
#include "mtl/nn/weights.hpp"

namespace mtl {
namespace {

bool lies_in(const std::string& name, const std::string& part) {
  return name.starts_with(part) && (name.size() == part.size() || name[part.size()] == '.');
}

}  // namespace

WarmStart warm_start(ModelRef model, const NamedTensors& weights,
                     const std::vector<RenamedPart>& renamed) {
  NamedTensors own = nn::weights(*model);
  NamedTensors values;  // by the model's names
  WarmStart result;
  std::vector<bool> used(renamed.size(), false);
  for (const auto& item : weights) {
    std::string name = item.key();
    for (size_t r = 0; r < renamed.size(); ++r)
      if (lies_in(item.key(), renamed[r].from)) {
        name = renamed[r].to + item.key().substr(renamed[r].from.size());
        used[r] = true;
        if (own.find(name) == nullptr)
          throw Error("warm start: \"{}\" becomes \"{}\", which the model has not", item.key(),
                      name);
        break;
      }
    const Tensor* place = own.find(name);
    if (place == nullptr) {
      result.unused.push_back(item.key());
      continue;
    }
    if (place->sizes() != item.value().sizes())
      throw Error(
          "warm start: \"{}\" has shape {}, \"{}\" of the model {}; leave it out of the weights "
          "where it is to begin anew",
          item.key(), shape_text(item.value()), name, shape_text(*place));
    if (values.contains(name)) throw Error("warm start: two weights are to become \"{}\"", name);
    values.insert(name, item.value());
  }
  for (size_t r = 0; r < renamed.size(); ++r)
    if (!used[r]) throw Error("warm start: no weight lies in \"{}\"", renamed[r].from);
  if (values.is_empty())
    throw Error(
        "warm start: the {} weights and the model have no name in common; say in `renamed` "
        "which part becomes which",
        weights.size());
  for (const auto& item : own)
    (values.contains(item.key()) ? result.taken : result.left).push_back(item.key());
  nn::copy_weights(own, [&](const std::string& name) { return values.find(name); });
  return result;
}

}  // namespace mtl
