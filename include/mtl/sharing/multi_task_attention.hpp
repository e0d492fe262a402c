#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/sharing/parts.hpp"

namespace mtl {

/// Multi-task attention network (MTAN): one encoder in stages, and for each task and stage a mask
/// that says which of the stage's outputs, and where, the task looks at.
///     u_k = first_k(p_{k-1}),   p_k = second_k(u_k),   p_{-1} the input
///     a_t = sigmoid(mask_k,t(cat(u_k, c_{k-1,t}))) * p_k,   c_{k,t} = carry_k(a_t)
///     prediction_t = head_t(c_{last,t})
/// The masks of stage 0 see u_0 alone. Liu et al., CVPR 2019 (arXiv 1803.10704), where a stage is
/// a block of convolutions, first_k all but its last one, a mask two 1 x 1 convolutions with batch
/// normalisation, and carry_k a 3 x 3 convolution with the pooling.
///
/// Reads the input named `input`, or the only one there is where `input` is empty.
/// Parameters: "stages.<k>.first.*", "stages.<k>.second.*", "stages.<k>.carry.*" (shared),
/// "masks.<task>.<k>.*" and "heads.<task>.*".
class MultiTaskAttentionImpl : public Model {
 public:
  struct Stage {
    Encoder first;               // p of the stage before -> u
    Encoder second;              // u -> p
    std::vector<Encoder> masks;  // one a task: cat(u, c) along dimension 1 -> scores of p's shape
    Encoder carry = {};          // what a task looks at -> c, for all tasks; none: as it is
  };

  /// Error: no stage, a stage without one of its parts, masks not one a task, one module twice.
  MultiTaskAttentionImpl(std::vector<Stage> stages, TaskRegistry tasks_given,
                         std::string input = {})
      : Model(std::move(tasks_given)), stages_(std::move(stages)), input_(std::move(input)) {
    if (stages_.empty()) throw Error("MultiTaskAttention: no stage; give at least one");
    std::vector<Encoder> all;
    for (size_t k = 0; k < stages_.size(); ++k) {
      const Stage& stage = stages_[k];
      const std::string prefix = "stages." + std::to_string(k) + ".";
      sharing_detail::require_one_a_task(stage.masks.size(), tasks(),
                                         "masks in stage " + std::to_string(k));
      register_part(prefix + "first", stage.first);
      register_part(prefix + "second", stage.second);
      if (stage.carry) register_part(prefix + "carry", stage.carry);
      for (size_t t = 0; t < stage.masks.size(); ++t)
        register_part("masks." + tasks()[static_cast<int64_t>(t)].name + "." + std::to_string(k),
                      stage.masks[t]);
      all.insert(all.end(), {stage.first, stage.second, stage.carry});
      all.insert(all.end(), stage.masks.begin(), stage.masks.end());
    }
    sharing_detail::require_distinct(all, "parts, counted over all stages,");
    register_heads();
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    Tensor p = input_of(inputs, input_);
    std::vector<Tensor> carried(static_cast<size_t>(tasks().size()));
    for (size_t k = 0; k < stages_.size(); ++k) {
      const Stage& stage = stages_[k];
      const std::string place = " of stage " + std::to_string(k);
      const Tensor u =
          pass(stage.first, p, "the first part" + place, k == 0 ? "the input" : "its input");
      p = pass(stage.second, u, "the second part" + place, "the first one's output");
      for (size_t t = 0; t < carried.size(); ++t) {
        const std::string& task = tasks()[static_cast<int64_t>(t)].name;
        const Tensor looked =
            attended(stage.masks[t], u, carried[t], p, "the mask of task \"" + task + "\"" + place);
        carried[t] = stage.carry
                         ? pass(stage.carry, looked, "the carry" + place, "what a task looks at")
                         : looked;
      }
    }
    return answers(carried);
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters = Model::task_parameters(task);
    for (const Stage& stage : stages_)
      sharing_detail::append_parameters(parameters,
                                        {stage.masks[static_cast<size_t>(tasks().index_of(task))]});
    return parameters;
  }

  const std::vector<Stage>& stages() const { return stages_; }
  const std::string& input() const { return input_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<Stage> copies;
    for (const Stage& stage : stages_)
      copies.push_back({stage.first.clone(), stage.second.clone(),
                        sharing_detail::clones_of(stage.masks), stage.carry.clone()});
    return std::make_shared<MultiTaskAttentionImpl>(std::move(copies), mtl::clone(tasks()), input_);
  }

 private:
  static Tensor attended(const Encoder& mask, const Tensor& u, const Tensor& carried,
                         const Tensor& p, const std::string& name) {
    Tensor seen = u;
    if (carried.defined()) {
      if (carried.dim() != u.dim() || carried.size(0) != u.size(0) ||
          (u.dim() > 2 && carried.sizes().slice(2) != u.sizes().slice(2)))
        throw Error(
            "{} sees {} beside {} carried from the stage before; they may differ in "
            "dimension 1 only, so let the carry of that stage shrink as the stage does",
            name, shape_text(u), shape_text(carried));
      seen = at::cat({u, carried}, 1);
    }
    const Tensor scores = pass(mask, seen, name, "what it sees,");
    if (scores.sizes() != p.sizes())
      throw Error("{} gives scores {}, expected {}, the shape of what it masks", name,
                  shape_text(scores), shape_text(p));
    return scores.sigmoid() * p;
  }

  std::vector<Stage> stages_;
  std::string input_;
};

struct MultiTaskAttention : ModelHolder<MultiTaskAttentionImpl> {
  using Impl = MultiTaskAttentionImpl;
  using Stage = MultiTaskAttentionImpl::Stage;
  using ModelHolder<MultiTaskAttentionImpl>::ModelHolder;
  MultiTaskAttention(std::vector<Stage> stages, TaskRegistry tasks, std::string input = {})
      : ModelHolder(std::move(stages), std::move(tasks), std::move(input)) {}
};

}  // namespace mtl
