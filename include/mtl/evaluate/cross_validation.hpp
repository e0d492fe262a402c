#pragma once

#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/data/padding.hpp"
#include "mtl/train/predict.hpp"

namespace mtl::evaluate {

/// What was answered for some rows of a data set.
struct RowPredictions {
  Tensor rows;  ///< int64 [n], those of the predictions in their order
  Predictions predictions;
};

/// The answers of several models to rows that each did not learn from (k_folds), as if one had been
/// asked: in the order of the rows, for metrics and reports of them all.
/// Error: there are none; parts with other tasks or targets than the first, or with sample weights
/// where it has none; a row that occurs twice.
RowPredictions in_row_order(const std::vector<RowPredictions>& parts);

}  // namespace mtl::evaluate
