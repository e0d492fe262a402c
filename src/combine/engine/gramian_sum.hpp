#pragma once

#include <ATen/core/Tensor.h>

#include <Eigen/Core>
#include <functional>
#include <vector>

namespace mtl::engine {

/// G [T, T], summed in double precision from products of at most `chunk` columns.
class GramianSum {
 public:
  static constexpr int64_t chunk = 1 << 15;

  explicit GramianSum(int64_t tasks) : sum_(Eigen::MatrixXd::Zero(tasks, tasks)) {}

  /// Adds the products of one parameter's rows (T tensors of one shape, undefined = zero).
  void add_rows(const std::vector<at::Tensor>& rows, bool in_double);

  /// Adds A B^T for A, B [T, n], by chunks of columns. Of a product known to be `symmetric` half is
  /// enough.
  void add_product(const at::Tensor& a, const at::Tensor& b, bool symmetric);

  /// The sum, exactly symmetric. Waits for the device.
  Eigen::MatrixXd value() const;

 private:
  at::Tensor& on_device(const at::Tensor& like);

  Eigen::MatrixXd sum_;
  std::vector<at::Tensor> device_sums_;  // [T, T] double, one for each device other than the CPU
};

/// The Gramian that `add` sums up; again in double precision if a square left the range of a float.
Eigen::MatrixXd guarded_gramian(int64_t tasks,
                                const std::function<void(GramianSum&, bool in_double)>& add);

/// A gradient without sparse layout.
at::Tensor dense(at::Tensor gradient);

/// sum_t w_t rows[t]; undefined if no row is defined. Written over the first row where the caller
/// has given that away, otherwise a fresh tensor.
at::Tensor weighted_sum(std::vector<at::Tensor> rows, const Eigen::VectorXd& weights);

/// <a, b> of two tensors of one shape, summed in double precision.
double inner(const at::Tensor& a, const at::Tensor& b);

}  // namespace mtl::engine
