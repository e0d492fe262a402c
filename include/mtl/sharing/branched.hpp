#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// Tasks that part at a chosen depth: a common stem, then one branch for each group of tasks, then
/// the heads.
///     prediction_t = head_t(branch_k(stem(input))),   k the branch of task t
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "stem.*" (shared by all), "branches.<k>.*" (shared by the tasks of branch k) and
/// "heads.<task>.*". A branch with one task only belongs to that task.
class BranchedImpl : public Model {
 public:
  struct Branch {
    Encoder encoder;                 // takes the stem's output
    std::vector<std::string> tasks;  // who reads its output
  };

  /// Error: a task in no branch or in two, an unknown task, a branch without tasks or encoder; a
  /// part that belongs to another model.
  BranchedImpl(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks_given,
               std::string input = {})
      : Model(std::move(tasks_given)),
        stem_(std::move(stem)),
        branches_(std::move(branches)),
        branch_of_task_(static_cast<size_t>(tasks().size()), branches_.size()),
        input_(std::move(input)) {
    register_part("stem", stem_);
    assign_tasks();
    for (size_t b = 0; b < branches_.size(); ++b)
      register_part("branches." + std::to_string(b), branches_[b].encoder);
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    representation_ = encode(stem_, inputs, input_, "the stem");
    std::vector<Tensor> outputs;
    for (size_t b = 0; b < branches_.size(); ++b)
      outputs.push_back(pass(branches_[b].encoder, representation_, "branch " + std::to_string(b),
                             "the stem's output"));
    NamedTensors predictions;
    for (int64_t t = 0; t < tasks().size(); ++t)
      predictions.insert(tasks()[t].name,
                         answer(tasks()[t], outputs[branch_of_task_[static_cast<size_t>(t)]]));
    return predictions;
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    const Branch& branch = branches_[branch_of_task_[static_cast<size_t>(tasks().index_of(task))]];
    if (branch.tasks.size() == 1)
      for (const Tensor& parameter : branch.encoder.module()->parameters())
        parameters.push_back(parameter);
    return parameters;
  }

  /// The stem's output: the last tensor that every task sees.
  Tensor representation() const override { return representation_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    LayerClones clones;
    std::vector<Branch> branches;
    for (const Branch& branch : branches_)
      branches.push_back({clones.of(branch.encoder), branch.tasks});
    return std::make_shared<BranchedImpl>(clones.of(stem_), std::move(branches),
                                          mtl::clone(tasks()), input_);
  }

 private:
  void assign_tasks() {
    for (size_t b = 0; b < branches_.size(); ++b) {
      if (branches_[b].tasks.empty()) throw Error("branch {} has no tasks", b);
      for (const std::string& name : branches_[b].tasks) {
        size_t& branch = branch_of_task_[static_cast<size_t>(tasks().index_of(name))];
        if (branch != branches_.size())
          throw Error("task \"{}\" is in branches {} and {}", name, branch, b);
        branch = b;
      }
    }
    for (int64_t t = 0; t < tasks().size(); ++t)
      if (branch_of_task_[static_cast<size_t>(t)] == branches_.size())
        throw Error("task \"{}\" is in no branch", tasks()[t].name);
  }

  Encoder stem_;
  std::vector<Branch> branches_;
  std::vector<size_t> branch_of_task_;
  std::string input_;
  Tensor representation_;
};

struct Branched : ModelHolder<BranchedImpl> {
  using Impl = BranchedImpl;
  using Branch = BranchedImpl::Branch;
  using ModelHolder<BranchedImpl>::ModelHolder;
  Branched(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks, std::string input = {})
      : ModelHolder(std::make_shared<BranchedImpl>(std::move(stem), std::move(branches),
                                                   std::move(tasks), std::move(input))) {}
};

}  // namespace mtl
