#include "mtl/sharing/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>

#include "mtl/combine/faulty_step.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/nn/clone.hpp"
#include "ownership.hpp"

namespace mtl {
namespace {

using Key = const at::TensorImpl*;

const auto& input_named(const NamedTensors& inputs, const std::string& name) {
  if (name.empty()) {
    if (inputs.size() == 1) return inputs.front();
    throw Error(
        "the batch has {} inputs, and the model was not told which to read; name it when the model "
        "is made",
        inputs.size());
  }
  for (const auto& item : inputs)
    if (item.key() == name) return item;
  std::string names;
  for (const auto& item : inputs) names += (names.empty() ? "" : ", ") + item.key();
  throw Error("no input \"{}\" in the batch; it has: {}", name, names.empty() ? "none" : names);
}

/// What a part says about its input, under the names that the user knows.
FaultyStep does_not_take(std::string text, const Tensor& input, std::string_view part_name,
                         std::string_view input_name) {
  if (!input.defined()) return FaultyStep("{} was given no {}", part_name, input_name);
  text.erase(std::min(text.find('\n'), text.size()));
  const bool one_sample = input.dim() > 0 && input.size(0) == 1;
  return FaultyStep("{} does not take {} {} of type {}: {}{}", part_name, input_name,
                    shape_text(input), toString(input.scalar_type()), text,
                    one_sample ? ". Where a last batch of one sample is the cause, a loader's "
                                 "drop_last leaves it out"
                               : "");
}

/// The part's output. `names` gives those of part and input, where they are needed.
template <class Names>
Tensor output_of(const nn::Layer& part, const Tensor& input, const Names& names) {
  try {
    return part.forward(input);
  } catch (const c10::Error& error) {
    const auto [part_name, input_name] = names();
    throw does_not_take(error.what_without_backtrace(), input, part_name, input_name);
  } catch (const Error& error) {
    const auto [part_name, input_name] = names();
    throw does_not_take(error.what(), input, part_name, input_name);
  }
}

}  // namespace

Model::Model(TaskRegistry tasks)
    : tasks_(std::move(tasks)), owner_(std::make_shared<const char>('m')) {
  if (tasks_.empty()) throw Error("a model needs at least one task; add one to the registry");
  if (std::all_of(tasks_.begin(), tasks_.end(), [](const Task& task) { return task.auxiliary; }))
    throw Error(
        "all tasks are auxiliary, so that nothing says which epoch is the best; leave "
        "Task::auxiliary false for one at least");
}

std::vector<Tensor> Model::parameters(bool recurse) const {
  return without_doubles(torch::nn::Module::parameters(recurse));
}

std::vector<Tensor> Model::task_parameters(std::string_view task) {
  const Head& head = tasks_.at(task).head;
  return head ? without_doubles(head.module()->parameters()) : std::vector<Tensor>{};
}

std::vector<Tensor> Model::shared_parameters() {
  std::unordered_map<Key, int> tasks_with;
  for (const Task& task : tasks_)
    for (const Tensor& parameter : without_doubles(task_parameters(task.name)))
      ++tasks_with[parameter.unsafeGetTensorImpl()];
  std::vector<Tensor> shared;
  for (const Tensor& parameter : parameters()) {
    const auto found = tasks_with.find(parameter.unsafeGetTensorImpl());
    if (found == tasks_with.end() || found->second > 1) shared.push_back(parameter);
  }
  return shared;
}

const Parameters& Model::parameter_sets() {
  if (!parameter_sets_) {
    // Parts that were registered without register_part are looked at here.
    std::vector<std::shared_ptr<const char>> within;
    for (const auto& module : modules(/*include_self=*/false))
      if (const auto* model = dynamic_cast<const Model*>(module.get()))
        within.push_back(model->owner_);
    claim(*this, owner_, "a part of this model", within);
    Parameters sets;
    sets.shared = without_doubles(shared_parameters());
    std::unordered_set<Key> is_shared;
    for (const Tensor& parameter : sets.shared) is_shared.insert(parameter.unsafeGetTensorImpl());
    for (const Task& task : tasks_) {
      auto& own = sets.by_task.emplace_back(without_doubles(task_parameters(task.name)));
      std::erase_if(own, [&](const Tensor& parameter) {
        return is_shared.contains(parameter.unsafeGetTensorImpl());
      });
    }
    // A layer is a module's own parameters.
    if (auto own = parameters(/*recurse=*/false); !own.empty()) sets.layers.push_back(own);
    for (const auto& module : modules(/*include_self=*/false))
      if (auto layer = module->parameters(/*recurse=*/false); !layer.empty())
        sets.layers.push_back(std::move(layer));
    for (const Tensor& buffer : without_doubles(buffers()))
      if (buffer.defined()) sets.buffers.push_back(buffer);
    parameter_sets_ = std::move(sets);
  }
  return *parameter_sets_;
}

std::shared_ptr<torch::nn::Module> Model::clone(const OptionalDevice& device) const {
  const KeepGenerator keep;
  const std::shared_ptr<Model> copy = make_again();
  const Model& made = *copy;
  if (typeid(made) != typeid(*this))
    throw Error(
        "model {} cannot be cloned: it derives from {}, whose make_again() knows nothing of what "
        "it adds; override make_again()",
        name(), made.name());
  nn::copy_state(*this, *copy);
  if (device) copy->to(*device);
  return copy;
}

std::shared_ptr<Model> Model::make_again() const {
  throw Error(
      "model {} cannot be cloned: override make_again(), which makes another of the same structure "
      "from clones of its parts (mtl::clone), or make a second one and copy the weights with "
      "mtl::nn::load_weights",
      name());
}

void Model::register_part(const std::string& name, const Encoder& part) {
  if (!part) throw Error("the model's part \"{}\" is missing; give an encoder", name);
  claim(*part.module(), owner_, fmt::format("the part \"{}\" of this model", name));
  const auto [folder, key] = place_of(name);
  folder->register_module(key, part.module());
}

void Model::register_parts(const std::string& folder, const std::vector<Encoder>& parts) {
  for (size_t k = 0; k < parts.size(); ++k)
    register_part(folder + "." + std::to_string(k), parts[k]);
}

void Model::register_model(const std::string& name, const std::shared_ptr<Model>& model) {
  if (model == nullptr) throw Error("the model's part \"{}\" is missing; give a model", name);
  owner_ = model->owner_;
  register_module(name, model);
}

Tensor Model::register_weight(const std::string& name, Tensor value) {
  const auto [folder, key] = place_of(name);
  return folder->register_parameter(key, std::move(value));
}

std::pair<torch::nn::Module*, std::string> Model::place_of(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != name.npos)
    throw Error("the model's part \"{}\" has a name with an empty segment; dots make folders",
                name);
  torch::nn::Module* folder = this;
  size_t begin = 0;
  for (size_t dot; (dot = name.find('.', begin)) != std::string::npos; begin = dot + 1) {
    const std::string group = name.substr(begin, dot - begin);
    const auto children = folder->named_children();
    const auto* found = children.find(group);
    // A part is no folder: what stood in it would be its own.
    if (found != nullptr && typeid(**found) != typeid(torch::nn::Module))
      throw Error("the model's part \"{}\" would stand within its part \"{}\"; rename one of them",
                  name, name.substr(0, dot));
    folder = found
                 ? found->get()
                 : folder->register_module(group, std::make_shared<torch::nn::Module>(group)).get();
  }
  std::string key = name.substr(begin);
  if (folder->named_children().contains(key) ||
      folder->named_parameters(/*recurse=*/false).contains(key) ||
      folder->named_buffers(/*recurse=*/false).contains(key))
    throw Error("the model has two parts \"{}\", or one within the other; rename one of them",
                name);
  return {folder, std::move(key)};
}

void Model::register_heads() {
  auto heads = std::make_shared<torch::nn::Module>("heads");
  for (const Task& task : tasks_) {
    if (!task.head)
      throw Error("task \"{}\" has no head; give Task::head, e.g. nn::LinearHead(256, 1)",
                  task.name);
    claim(*task.head.module(), owner_, fmt::format("the head of task \"{}\"", task.name));
    heads->register_module(task.name, task.head.module());
  }
  register_module("heads", heads);
}

Tensor Model::pass(const nn::Layer& part, const Tensor& input, std::string_view part_name,
                   std::string_view input_name) {
  return output_of(part, input, [&] { return std::pair(part_name, input_name); });
}

Tensor Model::encode(const Encoder& part, const NamedTensors& inputs, const std::string& input,
                     std::string_view part_name) {
  const auto& item = input_named(inputs, input);
  return output_of(part, item.value(),
                   [&] { return std::pair(part_name, "input \"" + item.key() + "\""); });
}

Tensor Model::input_of(const NamedTensors& inputs, const std::string& input) {
  return input_named(inputs, input).value();
}

Tensor Model::answer(const Task& task, const Tensor& representation) {
  return output_of(task.head, representation, [&] {
    return std::pair("the head of task \"" + task.name + "\"", "the representation");
  });
}

NamedTensors Model::answers(const std::vector<Tensor>& representations) const {
  NamedTensors predictions;
  for (size_t t = 0; t < representations.size(); ++t) {
    const Task& task = tasks_[static_cast<int64_t>(t)];
    predictions.insert(task.name, answer(task, representations[t]));
  }
  return predictions;
}

}  // namespace mtl
