#include "mtl/evaluate/cross_validation.hpp"

#include <tuple>

namespace mtl::evaluate {

RowPredictions in_row_order(const std::vector<RowPredictions>& parts) {
  if (parts.empty()) throw Error("in_row_order: there are no predictions");
  std::vector<Tensor> rows;
  for (const RowPredictions& part : parts) rows.push_back(part.rows);
  RowPredictions all;
  Tensor order;
  std::tie(all.rows, order) = torch::cat(rows).sort();
  if (all.rows.slice(0, 1).eq(all.rows.slice(0, 0, -1)).any().item<bool>())
    throw Error(
        "in_row_order: a row was answered twice; parts of a cross-validation have none in "
        "common");
  const auto join = [&](auto tensors_of, Fill fill = Fill::zero) {
    NamedTensors joined;
    const NamedTensors first = tensors_of(parts.front().predictions);
    for (const auto& item : first) {
      std::vector<Tensor> tensors;
      for (const RowPredictions& part : parts) {
        const NamedTensors own = tensors_of(part.predictions);
        const Tensor* found = own.find(item.key());
        if (found == nullptr || found->size(0) != part.rows.size(0))
          throw Error("in_row_order: \"{}\" is not there for all rows of each part", item.key());
        tensors.push_back(*found);
      }
      joined.insert(item.key(), joined_rows(tensors, fill, item.key()).index_select(0, order));
    }
    return joined;
  };
  all.predictions.predictions =
      join([](const Predictions& part) -> const NamedTensors& { return part.predictions; });
  all.predictions.targets =
      join([](const Predictions& part) -> const NamedTensors& { return part.targets; },
           Fill::missing_label);
  all.predictions.task_sample_weights =
      join([](const Predictions& part) -> const NamedTensors& { return part.task_sample_weights; });
  const NamedTensors weights = join([](const Predictions& part) {
    NamedTensors found;
    if (part.sample_weights.defined()) found.insert("sample weights", part.sample_weights);
    return found;
  });
  if (!weights.is_empty()) all.predictions.sample_weights = weights["sample weights"];
  return all;
}

}  // namespace mtl::evaluate
