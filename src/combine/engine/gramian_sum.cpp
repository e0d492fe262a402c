#include "gramian_sum.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace mtl::engine {
namespace {

using at::Tensor;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Below this many multiplications a loop costs less than the calls to a matrix product.
constexpr int64_t loop_limit = 1 << 14;

at::ScalarType product_type(const Tensor& row, bool in_double) {
  if (in_double || row.scalar_type() == at::kDouble) return at::kDouble;
  return at::kFloat;  // half precision has too few bits for a sum of products
}

// One dimension, in an order of elements that is the same for all `rows`; a view wherever the
// layout allows it.
std::vector<Tensor> flatten(const std::vector<Tensor>& rows) {
  std::vector<Tensor> flat(rows.size());
  const Tensor* first = nullptr;
  bool one_layout = true;
  for (const auto& row : rows) {
    if (!row.defined()) continue;
    if (first == nullptr) first = &row;
    one_layout =
        one_layout && row.is_non_overlapping_and_dense() && row.strides() == first->strides();
  }
  for (size_t t = 0; t < rows.size(); ++t) {
    if (!rows[t].defined()) continue;
    flat[t] = one_layout ? rows[t].as_strided({rows[t].numel()}, {1}) : rows[t].reshape({-1});
  }
  return flat;
}

template <class T>
void add_loop(const std::vector<Tensor>& flat, Eigen::MatrixXd& sum) {
  const auto tasks = static_cast<int64_t>(flat.size());
  std::vector<const T*> data(flat.size(), nullptr);
  int64_t columns = 0;
  for (size_t t = 0; t < flat.size(); ++t) {
    if (!flat[t].defined()) continue;
    data[t] = flat[t].data_ptr<T>();
    columns = flat[t].numel();
  }
  for (int64_t s = 0; s < tasks; ++s) {
    if (data[s] == nullptr) continue;
    for (int64_t t = 0; t <= s; ++t) {
      if (data[t] == nullptr) continue;
      double product = 0;
      for (int64_t c = 0; c < columns; ++c)
        product += static_cast<double>(data[s][c]) * static_cast<double>(data[t][c]);
      sum(s, t) += product;
      if (s != t) sum(t, s) += product;
    }
  }
}

}  // namespace

Tensor dense(const Tensor& gradient) {
  return gradient.defined() && gradient.layout() != at::kStrided ? gradient.to_dense() : gradient;
}

void GramianSum::add_rows(const std::vector<Tensor>& rows, bool in_double) {
  std::vector<Tensor> strided(rows.size());
  for (size_t t = 0; t < rows.size(); ++t) strided[t] = dense(rows[t]);
  const auto first =
      std::find_if(strided.begin(), strided.end(), [](const Tensor& row) { return row.defined(); });
  if (first == strided.end() || first->numel() == 0) return;
  const auto flat = flatten(strided);
  const auto tasks = static_cast<int64_t>(flat.size());
  const auto columns = first->numel();
  const auto type = product_type(*first, in_double);

  if (first->is_cpu() && type == first->scalar_type() && columns * tasks * tasks <= loop_limit) {
    return type == at::kDouble ? add_loop<double>(flat, sum_) : add_loop<float>(flat, sum_);
  }
  // The chunk is copied so that T rows lie side by side in the cache; a [T, P] copy never exists.
  auto buffer = at::empty({tasks, std::min(columns, chunk)}, first->options().dtype(type));
  for (int64_t t = 0; t < tasks; ++t) {
    if (!flat[t].defined()) buffer[t].zero_();
  }
  for (int64_t begin = 0; begin < columns; begin += chunk) {
    const auto width = std::min(columns - begin, chunk);
    const auto part = buffer.narrow(1, 0, width);
    for (int64_t t = 0; t < tasks; ++t) {
      if (flat[t].defined()) part[t].copy_(flat[t].narrow(0, begin, width));
    }
    add_product(part, part);
  }
}

void GramianSum::add_product(const Tensor& a, const Tensor& b) {
  for (int64_t begin = 0; begin < a.size(1); begin += chunk) {
    const auto width = std::min(a.size(1) - begin, chunk);
    const auto product = at::mm(a.narrow(1, begin, width), b.narrow(1, begin, width).t());
    if (!product.is_cpu()) {
      on_device(product).add_(product);
    } else if (product.scalar_type() == at::kDouble) {
      sum_ +=
          Eigen::Map<const RowMajor>(product.data_ptr<double>(), product.size(0), product.size(1));
    } else {
      using Map =
          Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
      sum_ += Map(product.data_ptr<float>(), product.size(0), product.size(1)).cast<double>();
    }
  }
}

Tensor& GramianSum::on_device(const Tensor& like) {
  for (auto& sum : device_sums_) {
    if (sum.device() == like.device()) return sum;
  }
  return device_sums_.emplace_back(
      at::zeros({sum_.rows(), sum_.cols()}, like.options().dtype(at::kDouble)));
}

Eigen::MatrixXd GramianSum::value() const {
  Eigen::MatrixXd total = sum_;
  for (const auto& device_sum : device_sums_) {
    const auto here = device_sum.cpu();
    total += Eigen::Map<const RowMajor>(here.data_ptr<double>(), total.rows(), total.cols());
  }
  return (total + total.transpose()) / 2;
}

Eigen::MatrixXd guarded_gramian(int64_t tasks, const std::function<void(GramianSum&, bool)>& add) {
  GramianSum sum(tasks);
  add(sum, false);
  const auto value = sum.value();
  // The square of a float underflows below 1e-38. Lost squares stay below 1e-6 of a sum above this
  // limit for up to 1e8 columns. Infinite sums are overflow or infinite rows; the second sum tells
  // which.
  constexpr double smallest_safe = 1e-24;
  const auto& squares = value.diagonal().array();
  if (value.allFinite() && (squares >= smallest_safe).all()) return value;
  GramianSum exact(tasks);
  add(exact, true);
  return exact.value();
}

Tensor weighted_sum(const std::vector<Tensor>& rows, const Eigen::VectorXd& weights) {
  Tensor sum;
  for (size_t t = 0; t < rows.size(); ++t) {
    if (!rows[t].defined()) continue;
    const auto weight = weights[static_cast<int64_t>(t)];
    if (!sum.defined()) {
      sum = at::mul(dense(rows[t]),
                    weight);  // never in place: two parameters may share one gradient tensor
    } else {
      sum.add_(dense(rows[t]), weight);
    }
  }
  return sum;
}

double inner(const Tensor& a, const Tensor& b) {
  const auto flat = flatten({dense(a), dense(b)});
  double sum = 0;
  for (int64_t begin = 0; begin < flat[0].numel(); begin += GramianSum::chunk) {
    const auto width = std::min(flat[0].numel() - begin, GramianSum::chunk);
    sum += at::dot(flat[0].narrow(0, begin, width).to(at::kDouble),
                   flat[1].narrow(0, begin, width).to(at::kDouble))
               .item<double>();
  }
  return sum;
}

}  // namespace mtl::engine
