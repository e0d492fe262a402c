#pragma once

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <Eigen/Core>

namespace mtl::engine {

/// The node of a representation whose rows are a share of a batch, the others being elsewhere.
struct RowsOfShare : torch::autograd::Node {
  /// The sum over all shares of what each of them has of `numbers`.
  virtual Eigen::MatrixXd sum(const Eigen::MatrixXd& numbers) const = 0;
};

/// The node of such a representation; null: all its rows are here.
inline const RowsOfShare* share_of(const torch::Tensor& representation) {
  return dynamic_cast<const RowsOfShare*>(representation.grad_fn().get());
}

}  // namespace mtl::engine
