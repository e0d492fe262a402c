#pragma once

#include <memory>
#include <string>
#include <utility>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// Hard parameter sharing (Caruana 1997): one encoder, a head a task.
///     representation = encoder(input),   prediction_t = head_t(representation)
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "encoder.*" (shared) and "heads.<task>.*".
class HardSharingImpl : public Model {
 public:
  /// Error: no encoder, no task, a task without a head; a part that belongs to another model.
  HardSharingImpl(Encoder encoder, TaskRegistry tasks, std::string input = {})
      : Model(std::move(tasks)), encoder_(std::move(encoder)), input_(std::move(input)) {
    register_part("encoder", encoder_);
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    representation_ = Tensor();  // the last one's memory serves again
    representation_ = encode(encoder_, inputs, input_);
    NamedTensors predictions;
    predictions.reserve(static_cast<size_t>(tasks().size()));
    for (const Task& task : tasks()) predictions.insert(task.name, answer(task, representation_));
    return predictions;
  }

  Tensor representation() const override { return representation_; }
  const Encoder& encoder() const { return encoder_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<HardSharingImpl>(mtl::clone(encoder_), mtl::clone(tasks()), input_);
  }

 private:
  Encoder encoder_;
  std::string input_;
  Tensor representation_;
};

struct HardSharing : ModelHolder<HardSharingImpl> {
  using Impl = HardSharingImpl;
  using ModelHolder<HardSharingImpl>::ModelHolder;
  /// Also with the tasks as a list: HardSharing(encoder, {{.name = "a", ...}, {.name = "b", ...}}).
  HardSharing(Encoder encoder, TaskRegistry tasks, std::string input = {})
      : ModelHolder(std::move(encoder), std::move(tasks), std::move(input)) {}
};

}  // namespace mtl
