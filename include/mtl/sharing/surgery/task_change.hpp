#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "mtl/sharing/model.hpp"

namespace mtl {

/// A tensor of a model, and the one that took its place in the changed model.
struct KeptTensor {
  Tensor before, after;
};

/// A model with a task more or less.
template <class Holder>
struct Changed {
  Holder model;
  /// What both models have; a task that is new or gone has none. carry_optimizer_state takes it.
  std::vector<KeptTensor> kept = {};
};

/// What a new task brings beside its head, where its way of sharing gives tasks more than that.
struct NewTaskParts {
  /// The task begins with copies of what this task has to itself (gate, masks, adapters, encoder),
  /// or reads the same branch. Empty: with a gate and the like as a new model would.
  std::string like = {};
  /// Parts of its own in place of copies: SoftSharing: an encoder; MultiTaskAttention: a mask a
  /// stage; ProgressiveLayeredExtraction: its experts; Branched: a branch of its own at the stem.
  std::vector<Encoder> parts = {};
};

/// The change of one model into another with a task more or less: what the ways of sharing make
/// their new model of. Everything that stays is copied to the bit, with types, devices, modes and
/// what is frozen; the model before stays as it is.
///
/// A model of one's own takes part by deriving from ChangesTasks as well.
class TaskChange {
 public:
  /// Without a task. Error: no such task, or it is the only one.
  TaskChange(const Model& before, std::string_view dropped);
  /// With a task more. Its head may be the head of another task, which they then share.
  /// Error: the name is taken, no head, no such task as `parts.like`, both `like` and `parts`.
  TaskChange(const Model& before, Task added, NewTaskParts parts);

  /// The tasks of the new model, the new one last; heads that stay are copies.
  const TaskRegistry& tasks();

  const std::optional<std::string>& dropped() const { return dropped_; }
  const std::optional<Task>& added() const { return added_; }
  const NewTaskParts& parts() const { return parts_; }

  /// The copy of a part that stays; one and the same for one and the same part.
  Encoder copy(const Encoder& part);
  std::vector<Encoder> copies(const std::vector<Encoder>& parts);
  /// The copy of a model inside this one that stays as it is.
  std::shared_ptr<Model> copy(const Model& inner);
  /// Parts by task, one list a task in the order of the registry: copies of those that stay, and
  /// for a new task those it brings, `count` of them where that is given. `way` and `what`
  /// ("an encoder") are for the Error: it brings none, or another number.
  std::vector<std::vector<Encoder>> by_task(const std::vector<std::vector<Encoder>>& before,
                                            std::optional<size_t> count, std::string_view way,
                                            std::string_view what);
  /// A part that the new task brings, for by_task and the like: it is noted as given.
  Encoder take(const Encoder& part);
  /// Error: the new task brings parts, and this way of sharing has none by task.
  void require_no_parts(std::string_view way) const;
  /// The same change of a model inside this one.
  std::shared_ptr<Model> inside(const Model& inner);

  /// The changed model: fills what `after` made itself (gates and the like) by the names that it
  /// has in the model before.
  Changed<std::shared_ptr<Model>> finish(std::shared_ptr<Model> after);

 private:
  void note(const torch::nn::Module& before, const std::shared_ptr<torch::nn::Module>& after);
  void give(const torch::nn::Module& module);

  const Model& before_;
  std::optional<std::string> dropped_;
  std::optional<Task> added_;
  NewTaskParts parts_;
  std::optional<TaskRegistry> tasks_;
  std::unordered_map<const torch::nn::Module*, Encoder> copies_;
  // Parts that stay and their copies, and parts that the new task brings.
  std::vector<std::pair<const torch::nn::Module*, std::shared_ptr<torch::nn::Module>>> stay_;
  std::vector<const torch::nn::Module*> brought_;
  std::unordered_set<const at::TensorImpl*> given_;  // tensors of the new model that are filled
  std::vector<KeptTensor> kept_;
};

/// What a model of one's own derives from beside Model, so that tasks can be added to it and
/// dropped from it:
///
///     struct TwoInputsImpl : mtl::Model, mtl::ChangesTasks {
///       std::shared_ptr<mtl::Model> with_tasks(mtl::TaskChange& change) const override {
///         change.require_no_parts("TwoInputs");
///         return std::make_shared<TwoInputsImpl>(change.copy(left_), change.copy(right_),
///                                                change.tasks());
///       }
struct ChangesTasks {
  virtual ~ChangesTasks() = default;
  /// A model of the same kind made from what `change` gives. Its other tensors are filled by name.
  /// Error: this change would change what the other tasks predict.
  virtual std::shared_ptr<Model> with_tasks(TaskChange& change) const = 0;
};

}  // namespace mtl
