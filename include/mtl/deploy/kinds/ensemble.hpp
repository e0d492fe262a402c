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
    or as a logit. Of each task the dimension of its classes; 0: yes or no each; -1: values;
    -2: regions of one class [N, M] or of several [N, C, H, W]."""

    def __init__(self, members, tasks, classes_in):
        super().__init__()
        self.classes_in = dict(zip(tasks, classes_in))
        for k, member in enumerate(members):
            self.add_module(f"member{k}", member)

    def forward(self, inputs):
        each = [member(inputs) for member in self.children()]
        return {task: self.mean_of(self.classes_in[task], torch.stack([one[task] for one in each]))
                for task in each[0]}

    def mean_of(self, classes_in, answers):
        if classes_in == -2:
            if answers.dim() == 4 and answers.shape[2] > 1:
                raise ValueError("maps of one class or steps of several: give classes_in, 0 or 1")
            classes_in = 1 if answers.dim() > 3 else 0
        if classes_in < 0:
            return answers.mean(0)

        def mean(logarithms):
            return logarithms.logsumexp(0) - math.log(answers.shape[0])
        classes = classes_in + 1
        if classes_in > 0 and answers.dim() > classes and answers.shape[classes] > 1:
            return mean(answers.log_softmax(classes))
        return mean(F.logsigmoid(answers)) - mean(F.logsigmoid(-answers))
)py";
  std::vector<std::shared_ptr<Model>> members;
  std::vector<std::string> tasks;   // for Python: here they are known
  std::vector<int64_t> classes_in;  // a bundle's losses do not know it

  static EnsembleKind of(const Module& module) {
    EnsembleKind described{module.members(), {}, module.classes_in()};
    for (const Task& task : module.tasks()) described.tasks.push_back(task.name);
    return described;
  }
  void fields(Fields& f) {
    f("members", members);
    f("tasks", tasks);
    f("classes_in", classes_in);
  }
  std::shared_ptr<Model> make(const TaskRegistry&) const {
    return std::make_shared<Module>(members, classes_in);
  }
};

}  // namespace mtl::deploy_detail
