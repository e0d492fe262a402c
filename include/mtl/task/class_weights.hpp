#pragma once

#include "mtl/core/tensor.hpp"

namespace mtl {

/// How often each class occurs in a target [N, ...] of class indices, [classes] torch::kLong; with
/// sample weights [N] the sum of the weights of its samples, [classes] torch::kDouble. Missing
/// labels (-100) do not count. Count on the training part only.
/// Error: a class outside [0, classes), sample weights that are none.
Tensor class_counts(const Tensor& target, int64_t classes, const Tensor& sample_weights = Tensor());

// Class weights from class counts [C], as [C] in double precision: what CrossEntropy and Focal
// take. A class that does not occur has weight 0. Error: negative counts, or no class occurs.

/// `1 / (n + 1e-6)`, scaled to sum C: every class counts the same in the sum over the data.
Tensor inverse_frequency(const Tensor& counts);

/// `N / (C n)`, where C is the number of classes that occur: as inverse_frequency, but scaled so
/// that the average weight of a sample is 1 (scikit-learn's "balanced").
Tensor balanced(const Tensor& counts);

/// `(1 - beta) / (1 - beta^n)`, scaled to sum C: between no weights (beta = 0) and the inverse
/// frequency (beta -> 1). Cui et al., CVPR 2019 (arXiv 1901.05555); they use .9 to .9999.
/// Error: beta outside [0, 1).
Tensor effective_number(const Tensor& counts, double beta = 0.999);

}  // namespace mtl
