#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mtl/data/images/preparation.hpp"
#include "mtl/data/scalers/min_max_scaler.hpp"
#include "mtl/data/scalers/standard_scaler.hpp"
#include "mtl/data/table_encoder.hpp"

namespace mtl {

/// A scaler, or none.
using AnyScaler = std::variant<std::monostate, StandardScaler, MinMaxScaler>;

/// What a head's outputs mean to who asks.
enum class AnswerKind {
  automatic,  ///< by the task's loss: values of a regression; of a classification scores where it
  ///< has one output or its loss takes each for itself (BinaryCrossEntropy), else
  ///< classes; sequences of class scores (Ctc) as they are
  values,   ///< as they are, or in the units that a scaler was learned from
  classes,  ///< the greatest of [N, C], and the probability of each (softmax)
  scores,   ///< each output for itself a yes or no, and its probability (sigmoid)
};

/// What a bundle says beside its model, so that who loads it needs nothing else.
struct BundleNotes {
  struct Input {
    std::string name;                       // as the model is given it
    std::vector<std::string> columns = {};  // of a table, in their order in the input
    AnyScaler scaler = {};                  // learned from the raw input
    /// It is pictures, and what files become before they are given to the model (and scaler).
    std::optional<images::Preparation> pictures = {};
    /// It is rows of a table, and how their numbers, dates and texts were encoded.
    std::optional<TableEncoder> table = {};
  };
  struct OfTask {
    std::string task;
    AnswerKind answer = AnswerKind::automatic;
    std::string unit = {};                 // "EUR", "°C"
    std::vector<std::string> labels = {};  // of the classes, or of several outputs
    AnyScaler scaler = {};                 // learned from the raw targets
  };
  struct Metric {
    std::string name;  // "price, R2 on the test part"
    double value;
  };
  std::vector<Input> inputs = {};
  std::vector<OfTask> tasks = {};  // those that need saying something
  std::vector<Metric> metrics = {};
  std::string description = {}, licence = {}, data = {};  // free text: what for, whose, from what
};

}  // namespace mtl
