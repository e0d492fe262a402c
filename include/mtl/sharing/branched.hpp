#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// Tasks that part at chosen depths, a tree: a common stem, then branches for groups of tasks,
/// which may part again, then the heads.
///     x = stem(input),   x <- branch(x) along the path of task t,   prediction_t = head_t(x)
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "stem.*" (shared by all), "branches.<k>.*", "branches.<k>-<j>.*" of a branch's own
/// branches (shared by the tasks behind them) and "heads.<task>.*". A branch with one task only
/// behind it belongs to that task.
class BranchedImpl : public Model {
 public:
  struct Branch {
    Encoder encoder;                      // takes the output of the stem, or of the branch before
    std::vector<std::string> tasks = {};  // whose heads read its output
    std::vector<Branch> branches = {};    // that read it, too
  };

  /// Error: a task in no branch or in two, an unknown task, a branch without encoder, or with
  /// neither tasks nor branches; a part that belongs to another model.
  BranchedImpl(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks_given,
               std::string input = {})
      : Model(std::move(tasks_given)),
        stem_(std::move(stem)),
        branches_(std::move(branches)),
        paths_(static_cast<size_t>(tasks().size())),
        input_(std::move(input)) {
    register_part("stem", stem_);
    add_nodes(branches_, "", {});
    for (int64_t t = 0; t < tasks().size(); ++t)
      if (paths_[static_cast<size_t>(t)].empty())
        throw Error("task \"{}\" is in no branch", tasks()[t].name);
    for (const Node& node : nodes_) register_part("branches." + node.name, node.encoder);
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    representation_ = encode(stem_, inputs, input_, "the stem");
    std::vector<Tensor> outputs;
    for (const Node& node : nodes_)  // a branch comes before its own branches
      outputs.push_back(
          pass(node.encoder, node.parent == none ? representation_ : outputs[node.parent],
               "branch " + node.name,
               node.parent == none ? std::string("the stem's output")
                                   : "the output of branch " + nodes_[node.parent].name));
    std::vector<Tensor> by_task;
    for (const auto& path : paths_) by_task.push_back(outputs[path.back()]);
    return answers(by_task);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    for (const size_t n : paths_[static_cast<size_t>(tasks().index_of(task))])
      if (nodes_[n].tasks == 1)
        for (const Tensor& parameter : nodes_[n].encoder.module()->parameters())
          parameters.push_back(parameter);
    return parameters;
  }

  /// The stem's output: the last tensor that every task sees.
  Tensor representation() const override { return representation_; }

  const Encoder& stem() const { return stem_; }
  const std::vector<Branch>& branches() const { return branches_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    LayerClones clones;
    Encoder stem = clones.of(stem_);
    return std::make_shared<BranchedImpl>(std::move(stem), copies_of(branches_, clones),
                                          mtl::clone(tasks()), input_);
  }

 private:
  static constexpr size_t none = static_cast<size_t>(-1);
  struct Node {
    std::string name;  // "0-1": the second branch of the first
    Encoder encoder;
    size_t parent = none;  // none: the stem
    int64_t tasks = 0;     // behind it
  };

  void add_nodes(const std::vector<Branch>& branches, const std::string& prefix,
                 const std::vector<size_t>& before) {
    for (size_t b = 0; b < branches.size(); ++b) {
      const Branch& branch = branches[b];
      const std::string name = prefix + std::to_string(b);
      if (branch.tasks.empty() && branch.branches.empty())
        throw Error("branch {} has no tasks", name);
      std::vector<size_t> path = before;
      path.push_back(nodes_.size());
      nodes_.push_back({name, branch.encoder, before.empty() ? none : before.back(), 0});
      for (const std::string& task : branch.tasks) {
        std::vector<size_t>& of_task = paths_[static_cast<size_t>(tasks().index_of(task))];
        if (!of_task.empty())
          throw Error("task \"{}\" is in branches {} and {}", task, nodes_[of_task.back()].name,
                      name);
        of_task = path;
        for (const size_t n : path) ++nodes_[n].tasks;
      }
      add_nodes(branch.branches, name + "-", path);
    }
  }

  static std::vector<Branch> copies_of(const std::vector<Branch>& branches, LayerClones& clones) {
    std::vector<Branch> copies;
    for (const Branch& branch : branches)
      copies.push_back(
          {clones.of(branch.encoder), branch.tasks, copies_of(branch.branches, clones)});
    return copies;
  }

  Encoder stem_;
  std::vector<Branch> branches_;
  std::vector<Node> nodes_;
  std::vector<std::vector<size_t>> paths_;  // by task, the nodes from the stem on
  std::string input_;
  Tensor representation_;
};

struct Branched : ModelHolder<BranchedImpl> {
  using Impl = BranchedImpl;
  using Branch = BranchedImpl::Branch;
  using ModelHolder<BranchedImpl>::ModelHolder;
  Branched(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks, std::string input = {})
      : ModelHolder(std::move(stem), std::move(branches), std::move(tasks), std::move(input)) {}
};

}  // namespace mtl
