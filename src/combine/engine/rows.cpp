#include "mtl/combine/engine/rows.hpp"

#include <ATen/ATen.h>

#include "gramian_sum.hpp"
#include "mtl/core/error.hpp"
#include "mtl/core/tensor.hpp"

namespace mtl {
namespace {

using at::Tensor;
using engine::GramianSum;

int64_t tasks_of(const Rows& rows) {
  return rows.empty() ? 0 : static_cast<int64_t>(rows.front().size());
}

Tensor squared_norm(const Tensor& tensor) {
  return at::norm(in_real_parts(tensor), 2, at::IntArrayRef{}, false, at::kDouble).square();
}

}  // namespace

Rows rows_of(const Tensor& jacobian) {
  if (jacobian.dim() != 2) {
    throw Error("a Jacobian has two dimensions [tasks, parameters], this one has {}",
                jacobian.dim());
  }
  return {jacobian.detach().unbind(0)};
}

std::vector<Tensor> dense_rows(const std::vector<Tensor>& of_parameter) {
  std::vector<Tensor> all;
  const auto first = std::find_if(of_parameter.begin(), of_parameter.end(),
                                  [](const Tensor& row) { return row.defined(); });
  if (first == of_parameter.end()) return all;
  for (const auto& row : of_parameter)
    all.push_back(row.defined() ? engine::dense(row.detach())
                                : at::zeros_like(engine::dense(*first)));
  return all;
}

Eigen::MatrixXd gramian(const Rows& rows) {
  const at::NoGradGuard no_grad;
  const auto tasks = tasks_of(rows);
  return engine::guarded_gramian(tasks, [&](GramianSum& sum, bool in_double) {
    for (const auto& parameter : rows) sum.add_rows(parameter, in_double);
  });
}

Eigen::MatrixXd gramian_of(const Rows& rows, const Eigen::MatrixXd& combinations) {
  Rows combined(rows.size());
  for (Eigen::Index k = 0; k < combinations.rows(); ++k) {
    auto row = weighted_sum(rows, combinations.row(k).transpose());
    for (size_t p = 0; p < rows.size(); ++p) combined[p].push_back(std::move(row[p]));
  }
  return gramian(combined);
}

Eigen::VectorXd norms(const Rows& rows) {
  const at::NoGradGuard no_grad;
  engine::NumberSums squares(tasks_of(rows));
  for (const auto& parameter : rows) {
    for (size_t t = 0; t < parameter.size(); ++t) {
      if (parameter[t].defined())
        squares.add(static_cast<int64_t>(t), squared_norm(engine::dense(parameter[t])));
    }
  }
  return squares.value().cwiseSqrt();
}

std::vector<Tensor> weighted_sum(const Rows& rows, const Eigen::VectorXd& weights) {
  const at::NoGradGuard no_grad;
  return engine::weighted_sums(rows, weights);
}

Eigen::VectorXd products(const Rows& rows, const std::vector<Tensor>& direction) {
  const at::NoGradGuard no_grad;
  engine::NumberSums result(tasks_of(rows));
  engine::add_products(rows, direction, result);
  return result.value();
}

Eigen::MatrixXd products(const Rows& first, const Rows& second) {
  const at::NoGradGuard no_grad;
  const auto columns = tasks_of(second);
  engine::NumberSums sums(tasks_of(first) * columns);
  for (size_t p = 0; p < first.size() && p < second.size(); ++p) {
    for (size_t s = 0; s < first[p].size(); ++s) {
      for (size_t t = 0; t < second[p].size(); ++t) {
        if (first[p][s].defined() && second[p][t].defined())
          sums.add(static_cast<int64_t>(s) * columns + static_cast<int64_t>(t),
                   engine::inner(first[p][s], second[p][t]));
      }
    }
  }
  const Eigen::VectorXd all = sums.value();
  return all.reshaped<Eigen::RowMajor>(tasks_of(first), columns);
}

void engine::add_products(const Rows& rows, const std::vector<Tensor>& direction,
                          NumberSums& result) {
  for (size_t p = 0; p < rows.size() && p < direction.size(); ++p) {
    if (!direction[p].defined()) continue;
    for (size_t t = 0; t < rows[p].size(); ++t) {
      if (rows[p][t].defined())
        result.add(static_cast<int64_t>(t), engine::inner(rows[p][t], direction[p]));
    }
  }
}

}  // namespace mtl
