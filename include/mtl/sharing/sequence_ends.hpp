#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_around.hpp"
#include "mtl/sharing/model_holder.hpp"
#include "mtl/task/sequence_lengths.hpp"

namespace mtl {

/// Where the predictions of one task end.
struct SequenceEnd {
  std::string task = {};        ///< its prediction: CTC logits [N, steps, C]
  std::string lengths = {};     ///< the input with the lengths [N], as PadToLongest names it
  int64_t inputs_per_step = 1;  ///< so many steps of the input make one of the prediction, the last
                                ///< perhaps of fewer
  int64_t blank = 0;
};

/// A model of any kind that reads sequences of different lengths, filled up to one: predictions of
/// CTC tasks end where their input ended,
///     prediction = blank_behind(model(inputs), ceil(lengths / inputs_per_step))
/// so that loss and metrics count no filling (Ctc).
///
///     SequenceEnds model(HardSharing(encoder, tasks, "frames"),
///                        {{.task = "words", .lengths = "frames_length"}});
///
/// The encoder sees the filling; one that looks beyond a step has to leave it out itself.
/// Parameters: "model.*".
class SequenceEndsImpl : public ModelAround {
 public:
  /// Error: no model, no ends; one of a task that is not there, or twice; no name of an input,
  /// less than one input a step.
  SequenceEndsImpl(std::shared_ptr<Model> model, std::vector<SequenceEnd> ends)
      : ModelAround(model, checked_tasks(model, ends)), ends_(std::move(ends)) {}

  /// Error: an input is not there; the predictions are no CTC logits, or shorter than the lengths.
  NamedTensors forward(const NamedTensors& inputs) override {
    NamedTensors predictions = model()->forward(inputs);
    for (const SequenceEnd& end : ends_) {
      // In a short type the sum and the steps' numbers would overflow.
      Tensor lengths = input_of(inputs, end.lengths);
      if (!lengths.is_floating_point()) lengths = lengths.to(torch::kLong);
      const int64_t k = end.inputs_per_step;
      try {
        predictions[end.task] =
            blank_behind(predictions[end.task],
                         k == 1 ? lengths : (lengths + (k - 1)).floor_divide(k), end.blank);
      } catch (const Error& error) {
        throw Error("task \"{}\", which ends by input \"{}\": {}", end.task, end.lengths,
                    error.what());
      }
    }
    return predictions;
  }

  const std::vector<SequenceEnd>& ends() const { return ends_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    return std::make_shared<SequenceEndsImpl>(mtl::clone(*model()), ends_);
  }

 private:
  static TaskRegistry checked_tasks(const std::shared_ptr<Model>& model,
                                    const std::vector<SequenceEnd>& ends) {
    const TaskRegistry& tasks = tasks_of(model, "SequenceEnds");
    if (ends.empty()) throw Error("SequenceEnds: no task is named; give those of CTC");
    for (size_t i = 0; i < ends.size(); ++i) {
      const SequenceEnd& end = ends[i];
      if (!tasks.contains(end.task))
        throw Error("SequenceEnds: \"{}\" is no task of the model", end.task);
      for (size_t k = 0; k < i; ++k)
        if (ends[k].task == end.task)
          throw Error("SequenceEnds: task \"{}\" ends twice; name it once", end.task);
      if (end.lengths.empty())
        throw Error("SequenceEnds: task \"{}\" names no input with the lengths", end.task);
      if (end.inputs_per_step < 1)
        throw Error("SequenceEnds: task \"{}\": inputs_per_step is {}, expected at least 1",
                    end.task, end.inputs_per_step);
    }
    return tasks;
  }

  std::vector<SequenceEnd> ends_;
};

struct SequenceEnds : ModelHolder<SequenceEndsImpl> {
  using Impl = SequenceEndsImpl;
  SequenceEnds(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit SequenceEnds(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  SequenceEnds(const ModelWithin& model, std::vector<SequenceEnd> ends)
      : ModelHolder(model, std::move(ends)) {}
};

}  // namespace mtl
