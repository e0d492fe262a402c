#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

/// A model of any kind that another goes around: by its pointer or its holder.
class ModelWithin {
 public:
  template <class Pointer>
  requires std::convertible_to<const Pointer&, std::shared_ptr<Model>> ModelWithin(
      const Pointer& model)
      : model_(model) {}

  template <class Holder>
  requires requires(const Holder& holder) {
    { holder.ptr() } -> std::convertible_to<std::shared_ptr<Model>>;
    holder.is_empty();
  }
  ModelWithin(const Holder& model)
      : model_(model.is_empty() ? std::shared_ptr<Model>() : model.ptr()) {}

  operator std::shared_ptr<Model>() const { return model_; }

 private:
  std::shared_ptr<Model> model_;
};

/// A model around another of any kind, whose encoders and heads are that one's: what it is asked
/// for it hands on, where it does not know better. Parameters: "model.*".
class ModelAround : public Model {
 public:
  /// The model within.
  const std::shared_ptr<Model>& model() const { return model_; }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    return model_->task_parameters(task);
  }
  Tensor representation() const override { return model_->representation(); }

 protected:
  /// `tasks` are those of `model`, and others that need no head.
  ModelAround(std::shared_ptr<Model> model, TaskRegistry tasks)
      : Model(std::move(tasks)), model_(std::move(model)) {
    register_model("model", model_);
  }

  /// The tasks of `model`. Error: there is none; the text names what was to go around it.
  static const TaskRegistry& tasks_of(const std::shared_ptr<Model>& model,
                                      std::string_view around) {
    if (model == nullptr) throw Error("{}: the model is empty", around);
    return model->tasks();
  }

 private:
  std::shared_ptr<Model> model_;
};

}  // namespace mtl
