#include "mtl/deploy/table_notes.hpp"

namespace mtl {

BundleNotes table_notes(const TableEncoder& encoder, const std::vector<TargetColumn>& tasks) {
  BundleNotes notes{.inputs = {{.name = "row", .table = encoder}}};
  for (const TargetColumn& task : tasks) {
    auto& of_task =
        notes.tasks.emplace_back(BundleNotes::OfTask{.task = task.name, .labels = task.classes});
    if (task.classes.empty())
      of_task.scaler =
          StandardScaler::from_state_dict({{"mean", torch::tensor(task.mean, torch::kFloat64)},
                                           {"scale", torch::tensor(task.scale, torch::kFloat64)}});
  }
  return notes;
}

}  // namespace mtl
