#pragma once

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <Eigen/Core>
#include <vector>

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

/// The node of losses whose gradients are sums that take a while.
struct LateGradients : torch::autograd::Node {
  /// From now on gradients may be handed out before their values are there.
  virtual void defer() = 0;
  /// The values of all that were handed out are there, and again at once from now on.
  virtual void arrive() = 0;
  /// The same where nobody wants the values any more.
  virtual void forget() noexcept = 0;
};

/// While it lives, the gradients of these losses may come late: those of one loss travel while the
/// next one's are computed. Nobody may read them before `arrive()`.
class LateGradientsOf {
 public:
  explicit LateGradientsOf(const std::vector<torch::Tensor>& losses);
  ~LateGradientsOf();
  LateGradientsOf(const LateGradientsOf&) = delete;
  LateGradientsOf& operator=(const LateGradientsOf&) = delete;
  void arrive();

 private:
  std::vector<LateGradients*> nodes_;
};

}  // namespace mtl::engine
