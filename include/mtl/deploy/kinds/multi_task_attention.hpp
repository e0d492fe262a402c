#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/multi_task_attention.hpp"

namespace mtl::deploy_detail {

struct MultiTaskAttentionKind {
  using Module = MultiTaskAttentionImpl;
  static constexpr std::string_view name = "MultiTaskAttention";
  static constexpr std::string_view python = R"py(
class MultiTaskAttention(nn.Module):
    """One encoder in stages; a mask a task and stage says where the task looks."""

    def __init__(self, stages, heads, input=""):
        super().__init__()
        self.stages, self.heads, self.input = nn.ModuleList(), Parts(heads), input
        self.masks = Parts({task: Parts() for task in heads})
        for k, stage in enumerate(stages):
            part = nn.Module()
            part.first, part.second = stage["first"], stage["second"]
            if stage["carry"] is not None:
                part.carry = stage["carry"]
            self.stages.append(part)
            for task, mask in zip(heads, stage["masks"]):
                self.masks[task].add(k, mask)

    def forward(self, inputs):
        p, carried = input_of(inputs, self.input), {}
        for k, stage in enumerate(self.stages):
            u = stage.first(p)
            p = stage.second(u)
            for task in self.heads:
                seen = torch.cat([u, carried[task]], 1) if task in carried else u
                looked = self.masks[task][k](seen).sigmoid() * p
                carried[task] = stage.carry(looked) if hasattr(stage, "carry") else looked
        return {task: head(carried[task]) for task, head in self.heads.items()}
)py";
  struct Stage : Module::Stage {
    void fields(Fields& f) {
      f("first", first);
      f("second", second);
      f("masks", masks);
      f("carry", carry);
    }
  };
  std::vector<Stage> stages;
  std::string input;

  static MultiTaskAttentionKind of(const Module& model) {
    MultiTaskAttentionKind described{{}, model.input()};
    for (const auto& stage : model.stages()) described.stages.push_back({stage});
    return described;
  }
  void fields(Fields& f) {
    f("stages", stages);
    f("input", input);
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(std::vector<Module::Stage>(stages.begin(), stages.end()),
                                    std::move(tasks), input);
  }
};

}  // namespace mtl::deploy_detail
