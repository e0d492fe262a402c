#pragma once

#include <ATen/core/Tensor.h>

#include <Eigen/Core>
#include <functional>
#include <unordered_map>
#include <vector>

namespace mtl::engine {

/// G [T, T], summed in double precision from products of at most `chunk` columns.
///
/// On a device the work is put in few large kernels, since each costs microseconds whatever it
/// does: the rows of many parameters are joined, and their chunks multiplied in one batch.
class GramianSum {
 public:
  static constexpr int64_t chunk = 1 << 15;
  static constexpr int64_t device_chunk = 1 << 9;   // as many products at once as keep it busy
  static constexpr int64_t device_block = 1 << 26;  // elements of T rows that are joined at most

  explicit GramianSum(int64_t tasks) : sum_(Eigen::MatrixXd::Zero(tasks, tasks)) {}

  /// Adds the products of one parameter's rows (T tensors of one shape, undefined = zero).
  void add_rows(const std::vector<at::Tensor>& rows, bool in_double);

  /// Adds A B^T for A, B [T, n], by chunks of columns. Of a product known to be `symmetric` half is
  /// enough.
  void add_product(const at::Tensor& a, const at::Tensor& b, bool symmetric);

  /// The sum, exactly symmetric. Waits for the device.
  Eigen::MatrixXd value();

 private:
  // Rows on one device, of one type, whose product is still due: [parameter][task], undefined =
  // zero.
  struct Waiting {
    at::ScalarType type;
    std::vector<std::vector<at::Tensor>> rows;
    int64_t columns = 0;
  };

  void wait(std::vector<at::Tensor> rows, at::ScalarType type);
  void multiply(Waiting& waiting);
  void add_device_product(const at::Tensor& a, const at::Tensor& b);

  Eigen::MatrixXd sum_;
  std::unordered_map<at::Device, std::vector<at::Tensor>> on_device_;  // terms [n, T, T] of G
  std::vector<Waiting> waiting_;
};

/// Sums by entry of numbers wherever they lie; those on a device are read together at the end.
class NumberSums {
 public:
  explicit NumberSums(int64_t entries) : sums_(Eigen::VectorXd::Zero(entries)) {}

  void add(int64_t entry, const at::Tensor& number);  // of one element

  /// Waits for the device, once.
  Eigen::VectorXd value();

 private:
  Eigen::VectorXd sums_;
  std::vector<at::Tensor> on_device_;
  std::vector<int64_t> entries_;
};

/// The Gramian that `add` sums up; again in double precision if a square left the range of a float.
Eigen::MatrixXd guarded_gramian(int64_t tasks,
                                const std::function<void(GramianSum&, bool in_double)>& add);

/// A gradient without sparse layout.
at::Tensor dense(at::Tensor gradient);

/// sum_t w_t rows[t]; undefined if no row is defined. Written over the first row where the caller
/// has given that away, otherwise a fresh tensor.
at::Tensor weighted_sum(std::vector<at::Tensor> rows, const Eigen::VectorXd& weights);

/// The same for many parameters, rows [parameter][task]; those on a device with a few kernels a
/// task instead of one a task and parameter.
std::vector<at::Tensor> weighted_sums(std::vector<std::vector<at::Tensor>> rows,
                                      const Eigen::VectorXd& weights);

/// <a, b> of two tensors of one shape, summed in double precision; one number, where they lie.
at::Tensor inner(const at::Tensor& a, const at::Tensor& b);

/// Adds <row t, direction> over all parameters, rows [parameter][task], to `result`; undefined
/// parts are zero.
void add_products(const std::vector<std::vector<at::Tensor>>& rows,
                  const std::vector<at::Tensor>& direction, NumberSums& result);

}  // namespace mtl::engine
