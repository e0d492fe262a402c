#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/hard_sharing.hpp"

namespace mtl::deploy_detail {

struct HardSharingKind {
  using Module = HardSharingImpl;
  static constexpr std::string_view name = "HardSharing";
  static constexpr std::string_view python = R"py(
class HardSharing(nn.Module):
    """One encoder, a head a task."""

    def __init__(self, encoder, heads, input=""):
        super().__init__()
        self.encoder, self.heads, self.input = encoder, Parts(heads), input

    def forward(self, inputs):
        representation = self.encoder(input_of(inputs, self.input))
        return {task: head(representation) for task, head in self.heads.items()}
)py";
  Encoder encoder;
  std::string input;

  static HardSharingKind of(const Module& model) { return {model.encoder(), model.input()}; }
  void fields(Fields& f) {
    f("encoder", encoder);
    f("input", input);
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(encoder, std::move(tasks), input);
  }
};

}  // namespace mtl::deploy_detail
