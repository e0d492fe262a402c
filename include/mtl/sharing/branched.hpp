#pragma once

#include <string>
#include <vector>

#include "mtl/sharing/model.hpp"

namespace mtl {

/// Tasks that part at a chosen depth: a common stem, then one branch for each group of tasks, then
/// the heads.
///
/// Parameters: "stem.*" (shared by all), "branches.<k>.*" (shared by the tasks of branch k) and
/// "heads.<task>.*". A branch with one task only belongs to that task.
class BranchedImpl : public Model {
 public:
  struct Branch {
    Encoder encoder;                 // takes the stem's output
    std::vector<std::string> tasks;  // who reads its output
  };

  /// Error: a task in no branch or in two, an unknown task, a branch without tasks.
  BranchedImpl(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks,
               std::string input = {});

  NamedTensors forward(const NamedTensors& inputs) override;
  std::vector<Tensor> task_parameters(std::string_view task) override;
  /// The stem's output: the last tensor that every task sees.
  Tensor representation() const override { return representation_; }

 private:
  Encoder stem_;
  std::vector<Branch> branches_;
  std::vector<size_t> branch_of_task_;
  std::string input_;
  Tensor representation_;
};

struct Branched : torch::nn::ModuleHolder<BranchedImpl> {
  using Branch = BranchedImpl::Branch;
  using torch::nn::ModuleHolder<BranchedImpl>::ModuleHolder;
  Branched(Encoder stem, std::vector<Branch> branches, TaskRegistry tasks, std::string input = {});
};

}  // namespace mtl
