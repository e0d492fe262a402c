#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/combine/parameters.hpp"
#include "mtl/core/torch_version.hpp"
#include "mtl/task/registry.hpp"

namespace mtl {

/// Maps named inputs to named predictions, one a task. Knows its tasks, and which parameters they
/// share.
///
/// An encoder or a head belongs to the first model that is made with it. Another model with it is
/// an Error, not two models that train each other's weights; so is one made after the first is
/// gone, when that has trained it. Make parts anew for each model, or copy them (mtl::clone).
///
/// A model of one's own derives from it, registers its parts with register_part and register_heads
/// in the constructor, and runs them with pass, encode and answer, whose errors name the part:
///
///     struct TwoInputsImpl : mtl::Model {
///       TwoInputsImpl(mtl::Encoder a, mtl::Encoder b, mtl::TaskRegistry tasks);
///       mtl::NamedTensors forward(const mtl::NamedTensors& inputs) override;
///     };
///     struct TwoInputs : mtl::ModelHolder<TwoInputsImpl> { using ModelHolder::ModelHolder; };
class Model : public torch::nn::Module {
 public:
  /// Error: there is no task, or none that is not auxiliary.
  explicit Model(TaskRegistry tasks);

  const TaskRegistry& tasks() const { return tasks_; }

  /// One prediction a task, by the task's name. Error: an input that the model needs is not there.
  virtual NamedTensors forward(const NamedTensors& inputs) = 0;

  /// Each tensor once, also where two tasks have one head; torch's own function lists such a tensor
  /// as often as it is registered.
  std::vector<Tensor> parameters(bool recurse = true) const;

  /// The parameters that only this task uses. Here: those of its head.
  virtual std::vector<Tensor> task_parameters(std::string_view task);

  /// The parameters that belong to no single task. Here: all that are in no task's list, or in
  /// several (a head that two tasks have in common).
  virtual std::vector<Tensor> shared_parameters();

  /// What a combiner needs to know of the model, found at the first call and kept: each tensor in
  /// one list, once.
  const Parameters& parameter_sets();
  operator const Parameters&() { return parameter_sets(); }

  /// The one tensor through which all tasks see the shared part in the last forward; undefined
  /// where there is none.
  virtual Tensor representation() const { return {}; }

  /// An independent model with the same weights, modes and frozen parameters; mtl::clone gives it
  /// its type. Error: the model or one of its parts cannot be made again.
  std::shared_ptr<torch::nn::Module> clone(const OptionalDevice& device = {}) const override;

 protected:
  /// A model of the same structure made from clones of its parts; clone() copies the weights.
  /// A model of one's own overrides it where it is to be cloned.
  virtual std::shared_ptr<Model> make_again() const;

  /// Registers an encoder, or another part that is no head, under `name`; dots in it make folders
  /// ("experts.0", "columns.a.1"). Error: there is none, or it belongs to another model.
  void register_part(const std::string& name, const Encoder& part);
  /// Registers parts as "<folder>.0", "<folder>.1", ...
  void register_parts(const std::string& folder, const std::vector<Encoder>& parts);
  /// Registers a whole model, around which this one goes, under `name`; its parts belong to this
  /// one, too. Call it before other parts are registered. Error: there is none.
  void register_model(const std::string& name, const std::shared_ptr<Model>& model);
  /// Registers a parameter of the model's own in the same way, and returns it.
  Tensor register_weight(const std::string& name, Tensor value);
  /// Registers the heads as "heads.<task>". Error: a task has no head, or it belongs to another
  /// model.
  void register_heads();

  /// The part's output. Error: it does not take this tensor; the text names both, as they are
  /// called here.
  static Tensor pass(const nn::Layer& part, const Tensor& input, std::string_view part_name,
                     std::string_view input_name);
  /// The same on the batch's input `input`, or the only one there is where that is empty. Error: it
  /// is not there.
  static Tensor encode(const Encoder& part, const NamedTensors& inputs, const std::string& input,
                       std::string_view part_name = "the encoder");
  /// The batch's input `input`, or the only one there is where that is empty, for a model that
  /// hands it to several parts. Error: it is not there.
  static Tensor input_of(const NamedTensors& inputs, const std::string& input);
  /// The prediction of a task from a representation.
  static Tensor answer(const Task& task, const Tensor& representation);
  /// The predictions of all tasks from their representations, which are in the order of the tasks.
  NamedTensors answers(const std::vector<Tensor>& representations) const;

 private:
  /// The module in which `name` stands, made where it is not there, and the name within it.
  std::pair<torch::nn::Module*, std::string> place_of(const std::string& name);

  TaskRegistry tasks_;
  std::optional<Parameters> parameter_sets_;
  std::shared_ptr<const char> owner_;  // stands for this model wherever it owns a tensor
};

}  // namespace mtl
