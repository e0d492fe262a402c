#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// A task whose prediction is computed from those of other tasks.
struct DerivedTask {
  Task task;                      // without a head
  std::vector<std::string> from;  // tasks of the model, or derived ones before it
  std::function<Tensor(const NamedTensors& predictions)> prediction;  // of those named in `from`
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
///                          .prediction = [](const NamedTensors& p) {
///                            return joint_logit(p["click"], p["buy_after_click"]);
///                          }}});
///
/// What belonged to a task alone is shared when a derived task is made from it; there is no
/// representation through which all tasks see the shared part. Parameters: "model.*".
class DerivedTasksImpl : public Model {
 public:
  /// Error: no model, no derived task; one without a function, with a head, with a name that is
  /// taken, made from no task or from one that is not there.
  DerivedTasksImpl(std::shared_ptr<Model> model, std::vector<DerivedTask> derived)
      : Model(all_tasks(model, derived)), model_(std::move(model)), derived_(std::move(derived)) {
    register_model("model", model_);
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    NamedTensors predictions = model_->forward(inputs);
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
    return model_->task_parameters(task);
  }

  /// The model without the derived tasks.
  const std::shared_ptr<Model>& model() const { return model_; }
  const std::vector<DerivedTask>& derived() const { return derived_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<DerivedTasksImpl>(mtl::clone(*model_), derived_);
  }

 private:
  static TaskRegistry all_tasks(const std::shared_ptr<Model>& model,
                                const std::vector<DerivedTask>& derived) {
    if (model == nullptr) throw Error("DerivedTasks: the model is empty");
    if (derived.empty()) throw Error("DerivedTasks: there is no derived task");
    TaskRegistry tasks = model->tasks();
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

  std::shared_ptr<Model> model_;
  std::vector<DerivedTask> derived_;
};

struct DerivedTasks : ModelHolder<DerivedTasksImpl> {
  using Impl = DerivedTasksImpl;
  DerivedTasks(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit DerivedTasks(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  DerivedTasks(std::shared_ptr<Model> model, std::vector<DerivedTask> derived)
      : ModelHolder(std::make_shared<Impl>(std::move(model), std::move(derived))) {}
  /// Around any model, by its holder.
  template <class Holder>
  requires requires(const Holder& holder) {
    { holder.ptr() } -> std::convertible_to<std::shared_ptr<Model>>;
    holder.is_empty();
  }
  DerivedTasks(const Holder& model, std::vector<DerivedTask> derived)
      : ModelHolder(std::make_shared<Impl>(
            model.is_empty() ? std::shared_ptr<Model>() : model.ptr(), std::move(derived))) {}
};

}  // namespace mtl
