#include "mtl/sharing/model.hpp"

#include <unordered_set>

#include "mtl/core/error.hpp"
#include "mtl/sharing/branched.hpp"
#include "mtl/sharing/hard_sharing.hpp"

namespace mtl {
namespace {

const Tensor& pick_input(const NamedTensors& inputs, const std::string& name) {
  if (name.empty()) {
    if (inputs.size() == 1) return inputs.front().value();
    throw Error(
        "the batch has {} inputs, and the model was not told which to read; name it when the model "
        "is made",
        inputs.size());
  }
  if (const Tensor* input = inputs.find(name)) return *input;
  std::string names;
  for (const auto& item : inputs) names += (names.empty() ? "" : ", ") + item.key();
  throw Error("no input \"{}\" in the batch; it has: {}", name, names.empty() ? "none" : names);
}

}  // namespace

Model::Model(TaskRegistry tasks) : tasks_(std::move(tasks)) {
  if (tasks_.empty()) throw Error("a model needs at least one task; add one to the registry");
}

void Model::register_heads() {
  auto heads = std::make_shared<torch::nn::Module>("heads");
  for (const Task& task : tasks_) {
    if (!task.head)
      throw Error("task \"{}\" has no head; give Task::head, e.g. nn::LinearHead(256, 1)",
                  task.name);
    heads->register_module(task.name, task.head.module());
  }
  register_module("heads", heads);
}

std::vector<Tensor> Model::task_parameters(std::string_view task) {
  const Head& head = tasks_.at(task).head;
  return head ? head.module()->parameters() : std::vector<Tensor>{};
}

std::vector<Tensor> Model::shared_parameters() {
  std::unordered_set<at::TensorImpl*> owned;
  for (const Task& task : tasks_)
    for (const Tensor& parameter : task_parameters(task.name))
      owned.insert(parameter.unsafeGetTensorImpl());
  std::vector<Tensor> shared;
  for (const Tensor& parameter : parameters())
    if (!owned.contains(parameter.unsafeGetTensorImpl())) shared.push_back(parameter);
  return shared;
}

const Parameters& Model::parameter_sets() {
  if (!parameter_sets_) {
    Parameters& sets = parameter_sets_.emplace();
    sets.shared = shared_parameters();
    for (const Task& task : tasks_) sets.by_task.push_back(task_parameters(task.name));
    // A layer is a module's own parameters.
    for (const auto& module : modules())
      if (auto layer = module->parameters(/*recurse=*/false); !layer.empty())
        sets.layers.push_back(std::move(layer));
    sets.buffers = buffers();
    std::erase_if(sets.buffers, [](const Tensor& buffer) { return !buffer.defined(); });
  }
  return *parameter_sets_;
}

HardSharingImpl::HardSharingImpl(Encoder encoder, TaskRegistry tasks, std::string input)
    : Model(std::move(tasks)), encoder_(std::move(encoder)), input_(std::move(input)) {
  if (!encoder_) throw Error("HardSharing needs an encoder");
  register_module("encoder", encoder_.module());
  register_heads();
}

NamedTensors HardSharingImpl::forward(const NamedTensors& inputs) {
  representation_ = encoder_.forward(pick_input(inputs, input_));
  NamedTensors predictions;
  predictions.reserve(static_cast<size_t>(tasks().size()));
  for (const Task& task : tasks())
    predictions.insert(task.name, task.head.forward(representation_));
  return predictions;
}

BranchedImpl::BranchedImpl(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks_given,
                           std::string input)
    : Model(std::move(tasks_given)),
      stem_(std::move(stem)),
      branches_(std::move(branches)),
      branch_of_task_(static_cast<size_t>(tasks().size()), branches_.size()),
      input_(std::move(input)) {
  if (!stem_) throw Error("Branched needs a stem");
  register_module("stem", stem_.module());
  auto modules = std::make_shared<torch::nn::Module>("branches");
  for (size_t b = 0; b < branches_.size(); ++b) {
    if (!branches_[b].encoder) throw Error("branch {} has no encoder", b);
    if (branches_[b].tasks.empty()) throw Error("branch {} has no tasks", b);
    for (const std::string& name : branches_[b].tasks) {
      size_t& branch = branch_of_task_[static_cast<size_t>(tasks().index_of(name))];
      if (branch != branches_.size())
        throw Error("task \"{}\" is in branches {} and {}", name, branch, b);
      branch = b;
    }
    modules->register_module(std::to_string(b), branches_[b].encoder.module());
  }
  register_module("branches", modules);
  for (int64_t t = 0; t < tasks().size(); ++t)
    if (branch_of_task_[static_cast<size_t>(t)] == branches_.size())
      throw Error("task \"{}\" is in no branch", tasks()[t].name);
  register_heads();
}

NamedTensors BranchedImpl::forward(const NamedTensors& inputs) {
  representation_ = stem_.forward(pick_input(inputs, input_));
  std::vector<Tensor> branch_outputs;
  for (const Branch& branch : branches_)
    branch_outputs.push_back(branch.encoder.forward(representation_));
  NamedTensors predictions;
  for (int64_t t = 0; t < tasks().size(); ++t)
    predictions.insert(
        tasks()[t].name,
        tasks()[t].head.forward(branch_outputs[branch_of_task_[static_cast<size_t>(t)]]));
  return predictions;
}

std::vector<Tensor> BranchedImpl::task_parameters(std::string_view task) {
  std::vector<Tensor> parameters = Model::task_parameters(task);
  const Branch& branch = branches_[branch_of_task_[static_cast<size_t>(tasks().index_of(task))]];
  if (branch.tasks.size() == 1)
    for (const Tensor& parameter : branch.encoder.module()->parameters())
      parameters.push_back(parameter);
  return parameters;
}

Branched::Branched(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks,
                   std::string input)
    : ModuleHolder(std::make_shared<BranchedImpl>(std::move(stem), std::move(branches),
                                                  std::move(tasks), std::move(input))) {}

}  // namespace mtl
