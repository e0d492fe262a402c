#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_around.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/task/joint_logit.hpp"

namespace mtl {

/// A task whose prediction is computed from those of other tasks.
struct DerivedTask {
  Task task;                      // without a head
  std::vector<std::string> from;  // tasks of the model, or derived ones before it
  std::function<Tensor(const NamedTensors& predictions)> prediction;  // of those named in `from`
};

/// The logit that all of them are so (joint_logit), as a DerivedTask's prediction: a bundle and an
/// export know it, while a function of one's own stays in the program.
struct JointLogit {
  Tensor operator()(const NamedTensors& predictions) const {
    Tensor joint = predictions[0].value();
    for (size_t i = 1; i < predictions.size(); ++i)
      joint = joint_logit(joint, predictions[i].value());
    return joint;
  }
};

/// A model of any kind with tasks whose predictions follow from those of others:
///     prediction_d = f(prediction_a, prediction_b, ...)
/// The losses of derived tasks reach the parts of all tasks that they are made from. ESMM (Ma et
/// al., SIGIR 2018) learns purchases after a click without the bias of looking at clicks only: over
/// all impressions, pCTCVR = pCTR pCVR, where the second factor has no loss of its own.
///
///     DerivedTasks model(HardSharing(encoder, {{.name = "click", ..., .loss =
///                                               BinaryCrossEntropy{}},
///                                              {.name = "buy_after_click", ..., .loss =
///                                               NoLoss{}}}),
///                        {{.task = {.name = "buy", .loss = BinaryCrossEntropy{}},
///                          .from = {"click", "buy_after_click"},
///                          .prediction = JointLogit{}}});
///
/// What belonged to a task alone is shared when a derived task is made from it; there is no
/// representation through which all tasks see the shared part. Parameters: "model.*".
class DerivedTasksImpl : public ModelAround {
 public:
  /// Error: no model, no derived task; one without a function, with a head, with a name that is
  /// taken, made from no task, from one that is not there, or from one twice.
  DerivedTasksImpl(std::shared_ptr<Model> model, std::vector<DerivedTask> derived)
      : ModelAround(model, all_tasks(model, derived)), derived_(std::move(derived)) {}

  NamedTensors forward(const NamedTensors& inputs) override {
    NamedTensors predictions = model()->forward(inputs);
    for (const DerivedTask& derived : derived_) {
      NamedTensors from;
      for (const std::string& name : derived.from) from.insert(name, predictions[name]);
      Tensor prediction;
      try {
        prediction = derived.prediction(from);
      } catch (const std::exception& error) {
        throw Error("task \"{}\", which is derived from {}: {}", derived.task.name, shapes_of(from),
                    first_line(error.what()));
      }
      if (!prediction.defined())
        throw Error("task \"{}\": its function gave no prediction", derived.task.name);
      predictions.insert(derived.task.name, std::move(prediction));
    }
    return predictions;
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    for (const DerivedTask& derived : derived_)
      if (derived.task.name == task ||
          std::find(derived.from.begin(), derived.from.end(), task) != derived.from.end())
        return {};
    return ModelAround::task_parameters(task);
  }
  Tensor representation() const override { return {}; }

  const std::vector<DerivedTask>& derived() const { return derived_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<DerivedTasksImpl>(mtl::clone(*model()), derived_);
  }

 private:
  static TaskRegistry all_tasks(const std::shared_ptr<Model>& model,
                                const std::vector<DerivedTask>& derived) {
    TaskRegistry tasks = tasks_of(model, "DerivedTasks");
    if (derived.empty()) throw Error("DerivedTasks: there is no derived task");
    for (const DerivedTask& one : derived) {
      const std::string& name = one.task.name;
      if (!one.prediction)
        throw Error("task \"{}\" has no function; give DerivedTask::prediction", name);
      if (one.task.head)
        throw Error("task \"{}\" is derived from others, but has a head; leave it out", name);
      if (one.from.empty())
        throw Error("task \"{}\" is derived from no task; name them in DerivedTask::from", name);
      for (const std::string& from : one.from)
        if (!tasks.contains(from))
          throw Error("task \"{}\" is derived from \"{}\", which is no task before it", name, from);
      for (const std::string& from : one.from)
        if (std::count(one.from.begin(), one.from.end(), from) > 1)
          throw Error("task \"{}\" is derived from \"{}\" twice; name it once", name, from);
      tasks.add(one.task);
    }
    return tasks;
  }
  static std::string shapes_of(const NamedTensors& tensors) {
    std::string text;
    for (const auto& item : tensors)
      text += (text.empty() ? "\"" : ", \"") + item.key() + "\" " + shape_text(item.value());
    return text;
  }
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  std::vector<DerivedTask> derived_;
};

struct DerivedTasks : ModelHolder<DerivedTasksImpl> {
  using Impl = DerivedTasksImpl;
  DerivedTasks(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit DerivedTasks(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  DerivedTasks(const ModelWithin& model, std::vector<DerivedTask> derived)
      : ModelHolder(model, std::move(derived)) {}
};

}  // namespace mtl
