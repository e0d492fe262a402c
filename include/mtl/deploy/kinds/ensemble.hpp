#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/ensemble.hpp"

namespace mtl::deploy_detail {

struct EnsembleKind {
  using Module = EnsembleImpl;
  static constexpr std::string_view name = "Ensemble";
  static constexpr bool is_around = true;  // the heads are the members'
  static constexpr std::string_view python = R"py(
class Ensemble(nn.Module):
    """Several models as one: the mean of their values, and of their probabilities, as logarithms
    or as a logit."""

    def __init__(self, members, classifications):
        super().__init__()
        self.classifications = classifications
        for k, member in enumerate(members):
            self.add_module(f"member{k}", member)

    def forward(self, inputs):
        each = [member(inputs) for member in self.children()]
        return {task: self.mean_of(task, torch.stack([one[task] for one in each]))
                for task in each[0]}

    def mean_of(self, task, answers):
        if task not in self.classifications:
            return answers.mean(0)

        def mean(logarithms):
            return logarithms.logsumexp(0) - math.log(answers.shape[0])
        if answers.dim() > 2 and answers.shape[2] > 1:
            return mean(answers.log_softmax(2))
        return mean(F.logsigmoid(answers)) - mean(F.logsigmoid(-answers))
)py";
  std::vector<std::shared_ptr<Model>> members;
  std::vector<std::string> classifications;  // for Python: here the tasks know it

  static EnsembleKind of(const Module& module) {
    EnsembleKind described{module.members(), {}};
    for (const Task& task : module.tasks())
      if (task.loss.kind() == LossKind::classification)
        described.classifications.push_back(task.name);
    return described;
  }
  void fields(Fields& f) {
    f("members", members);
    f("classifications", classifications);
  }
  std::shared_ptr<Model> make(const TaskRegistry&) const {
    return std::make_shared<Module>(members);
  }
};

}  // namespace mtl::deploy_detail
