#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/data/table.hpp"
#include "mtl/deploy/bundle.hpp"

namespace mtl {

/// What a model answers for one task, on the CPU.
struct Answer {
  std::string task;
  AnswerKind kind = AnswerKind::values;  // never automatic
  Tensor values;         ///< values: [N] or [N, K] float64, in `unit` (of GaussianNll the means,
                         ///< then the log variances); classes: [N] int64, -100 where the outputs
                         ///< are NaN (a missing input); scores: [N] or [N, K] bool, whether the
                         ///< probability is at least 1/2
  Tensor probabilities;  ///< classes: [N, C]; scores: as `values`; undefined for values
  std::vector<std::string> labels;  ///< of the classes or outputs; empty: they have none
  std::string unit;                 ///< "" where there is none

  /// The label of each sample's class; its number where classes have none, "" where it has none.
  /// Error: of no classes.
  std::vector<std::string> texts() const;
};

struct Answers {
  std::vector<Answer> by_task;  // in the order of the tasks
  /// Error: no such task.
  const Answer& operator[](std::string_view task) const;
};

/// A trained model for who only wants its answers: raw inputs in, answers in the user's units out.
///
///     mtl::Predictor predictor("houses");
///     auto answers = predictor.predict({{"input", rows}});     // [N, columns], not scaled
///     answers["price"].values;                                 // [N], in EUR
///     answers["kind"].texts();                                 // [N] names
///     predictor.predict(mtl::Table::read("new.csv"));          // columns by their names
///
/// It answers in evaluation mode; who has its model, too, finds it in the mode that it had.
/// One at a time: for several threads take a Predictor each.
class Predictor {
 public:
  /// Error: as load_bundle.
  explicit Predictor(const std::filesystem::path& directory, const Kinds& kinds = {})
      : Predictor(load_bundle(directory, kinds)) {}
  explicit Predictor(Bundle bundle) : bundle_(std::move(bundle)) {}

  /// Error: an input is missing or unknown, has other columns than were learned from, or does not
  /// fit the model; outputs [N, H, W] of Dice or SoftIou, unless notes say what they are.
  Answers predict(const NamedTensors& inputs);

  /// The rows of a table, by the columns that the notes name or have an encoding of.
  /// Error: an input is no columns of a table, by the notes; a column is missing, or holds
  /// something else than where it was learnt.
  Answers predict(const Table& table);

  /// To a device, where all is computed from then on.
  void to(c10::Device device) { bundle_.model->to(device); }

  const TaskRegistry& tasks() const { return bundle_.model->tasks(); }
  const BundleNotes& notes() const { return bundle_.notes; }

 private:
  Bundle bundle_;
};

}  // namespace mtl
