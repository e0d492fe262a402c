#include "mtl/sharing/surgery/teachers.hpp"

#include <unordered_map>

#include "mtl/core/error.hpp"
#include "mtl/nn/keep_modes.hpp"

namespace mtl {
namespace {

NamedTensors answers_of(Model& teacher, const NamedTensors& inputs) {
  const torch::NoGradGuard no_grad;
  const nn::KeepModes keep(teacher);
  teacher.eval();
  return teacher.forward(inputs);
}

}  // namespace

Batch taught(Batch batch, const std::vector<Teacher>& teachers) {
  for (const Teacher& teacher : teachers) {
    teacher.model->tasks().at(teacher.task);
    if (teacher.target.empty())
      throw Error("the teacher of task \"{}\" has no target; name one that the batch does not have",
                  teacher.task);
    if (batch.targets.contains(teacher.target))
      throw Error("the teacher of task \"{}\" is to give the target \"{}\", which the batch has",
                  teacher.task, teacher.target);
  }
  std::unordered_map<const Model*, NamedTensors> answers;
  NamedTensors targets = batch.targets;  // the dictionary: tensors are shared
  for (const Teacher& teacher : teachers) {
    const auto [found, is_new] = answers.try_emplace(&*teacher.model);
    if (is_new) found->second = answers_of(*teacher.model, batch.inputs);
    if (targets.contains(teacher.target))
      throw Error("two teachers are to give the target \"{}\"", teacher.target);
    targets.insert(teacher.target, found->second[teacher.task]);
  }
  batch.targets = std::move(targets);
  return batch;
}

}  // namespace mtl
