#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/soft_sharing.hpp"

namespace mtl::deploy_detail {

struct SoftSharingKind {
  using Module = SoftSharingImpl;
  static constexpr std::string_view name = "SoftSharing";
  static constexpr std::string_view python = R"py(
class SoftSharing(nn.Module):
    """An encoder a task; what draws their weights together belongs to the training."""

    def __init__(self, encoders, heads, input=""):
        super().__init__()
        self.encoders, self.heads, self.input = Parts(zip(heads, encoders)), Parts(heads), input

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        return {task: head(self.encoders[task](x)) for task, head in self.heads.items()}
)py";
  static constexpr std::array<std::string_view, 3> penalties = {"l2", "l1", "trace_norm"};
  std::vector<Encoder> encoders;
  Module::Options options = {};
  std::string input;

  static SoftSharingKind of(const Module& model) {
    return {model.encoders(), model.options(), model.input()};
  }
  void fields(Fields& f) {
    f("encoders", encoders);
    f("input", input);
    f.training([&] {
      f.choice("penalty", options.penalty, penalties);
      f("strength", options.strength);
    });
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(encoders, std::move(tasks), options, input);
  }
};

}  // namespace mtl::deploy_detail
