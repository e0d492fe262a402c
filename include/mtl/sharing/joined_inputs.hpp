#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_around.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// Several inputs for a model of any kind: each has an encoder, and the model takes their outputs
/// side by side.
///     x = [encoder_1(input_1), ..., encoder_n(input_n)] in dimension 1,   predictions = model(x)
/// A picture and a table, say, before any way of sharing. The outputs are [N, F_k], or maps of one
/// size; the model reads the one input that it gets, of F_1 + ... + F_n features.
///
/// Parameters: "inputs.<name>.*" (shared) and "model.*".
class JoinedInputsImpl : public ModelAround {
 public:
  struct Input {
    std::string name;  // in the batch
    Encoder encoder;   // torch::nn::Identity() where it needs none
  };

  /// Error: no model; no input; one without a name or encoder, or twice; a part that belongs to
  /// another model.
  JoinedInputsImpl(std::vector<Input> inputs, std::shared_ptr<Model> model)
      : ModelAround(model, tasks_of(model, "JoinedInputs")), inputs_(std::move(inputs)) {
    if (inputs_.empty()) throw Error("JoinedInputs: there is no input");
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i].name.empty()) throw Error("JoinedInputs: input {} has no name", i);
      for (size_t k = 0; k < i; ++k)
        if (inputs_[k].name == inputs_[i].name)
          throw Error("JoinedInputs: there are two encoders for input \"{}\"", inputs_[i].name);
      register_part("inputs." + inputs_[i].name, inputs_[i].encoder);
    }
  }

  /// Error: an input is not there; an encoder does not take it; their outputs do not fit together.
  NamedTensors forward(const NamedTensors& batch) override {
    std::vector<Tensor> outputs;
    for (const Input& input : inputs_)
      outputs.push_back(encode(input.encoder, batch, input.name, "the encoder of its input"));
    for (size_t i = 0; i < outputs.size(); ++i)
      if (!fit(outputs[0], outputs[i]))
        throw Error(
            "the encoder of input \"{}\" gives {}, that of \"{}\" {}; side by side they may differ "
            "in dimension 1 only",
            inputs_[i].name, shape_text(outputs[i]), inputs_[0].name, shape_text(outputs[0]));
    return model()->forward({{"joined", torch::cat(outputs, 1)}});
  }

  const std::vector<Input>& inputs() const { return inputs_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    LayerClones clones;  // two inputs may have one encoder
    std::vector<Input> copies;
    for (const Input& input : inputs_) copies.push_back({input.name, clones.of(input.encoder)});
    return std::make_shared<JoinedInputsImpl>(std::move(copies), mtl::clone(*model()));
  }

 private:
  static bool fit(const Tensor& a, const Tensor& b) {
    if (a.dim() < 2 || a.dim() != b.dim()) return false;
    for (int64_t d = 0; d < a.dim(); ++d)
      if (d != 1 && a.size(d) != b.size(d)) return false;
    return true;
  }

  std::vector<Input> inputs_;
};

struct JoinedInputs : ModelHolder<JoinedInputsImpl> {
  using Impl = JoinedInputsImpl;
  using Input = Impl::Input;
  JoinedInputs(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit JoinedInputs(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  JoinedInputs(std::vector<Input> inputs, const ModelWithin& model)
      : ModelHolder(std::move(inputs), model) {}
};

}  // namespace mtl
