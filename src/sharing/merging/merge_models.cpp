#include "mtl/sharing/merging/merge_models.hpp"

#include <string>
#include <unordered_set>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/merging/shared_weights.hpp"
#include "mtl/sharing/surgery/add_task.hpp"

namespace mtl {
namespace {

/// All tasks in one model, whose own parts still have to be filled.
std::shared_ptr<Model> with_all_tasks(const std::vector<ModelRef>& models) {
  std::shared_ptr<Model> all = mtl::clone(*models[0]);
  const std::string first = models[0]->tasks()[0].name;
  for (size_t m = 1; m < models.size(); ++m)
    for (Task task : models[m]->tasks()) {
      task.head = task.head.clone();
      all = add_task(*all, std::move(task), {.like = first}).model;
    }
  return all;
}

}  // namespace

std::shared_ptr<Model> merge_models(const NamedTensors& start, const std::vector<ModelRef>& models,
                                    const Merging& merging) {
  const KeepGenerator keep;  // gates are drawn, and filled
  if (models.empty()) throw Error("merging: there is no model; give at least one");
  if (!merging) throw Error("merging: nothing says how to merge; give e.g. TiesMerging{{}}");
  std::vector<NamedTensors> tuned;
  for (const ModelRef& model : models) tuned.push_back(shared_weights(model));
  const NamedTensors merged = merging(start, tuned);

  const std::shared_ptr<Model> all = with_all_tasks(models);
  std::unordered_set<const at::TensorImpl*> shared;
  for (const Tensor& parameter : all->parameter_sets().shared)
    shared.insert(parameter.unsafeGetTensorImpl());
  NamedTensors places = all->named_parameters();
  places.update(all->named_buffers());
  const torch::NoGradGuard no_grad;
  const auto fill = [&](const std::string& name, const Tensor& value, bool is_shared) {
    Tensor* place = places.find(name);
    if (place == nullptr || place->sizes() != value.sizes())
      throw Error(
          "merging: the merged model has no \"{}\" of shape {}; models must be of one structure",
          name, shape_text(value));
    if (!is_shared && shared.contains(place->unsafeGetTensorImpl()))
      throw Error(
          "merging: \"{}\" belongs to one task before and would be shared by several; merge models "
          "whose tasks part at their heads or gates",
          name);
    place->copy_(value);
  };
  for (size_t m = 0; m < models.size(); ++m)
    for (const auto& item : nn::weights(*models[m]))
      if (!merged.contains(item.key())) fill(item.key(), item.value(), false);
  for (const auto& item : merged) fill(item.key(), item.value(), true);
  return all;
}

}  // namespace mtl
