#pragma once

#include <string>

#include "mtl/sharing/model.hpp"

namespace mtl {

/// Hard parameter sharing (Caruana 1997): one encoder, a head a task.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "encoder.*" (shared) and "heads.<task>.*".
class HardSharingImpl : public Model {
 public:
  HardSharingImpl(Encoder encoder, TaskRegistry tasks, std::string input = {});

  NamedTensors forward(const NamedTensors& inputs) override;
  Tensor representation() const override { return representation_; }

  const Encoder& encoder() const { return encoder_; }

 private:
  Encoder encoder_;
  std::string input_;
  Tensor representation_;
};
TORCH_MODULE(HardSharing);

}  // namespace mtl
