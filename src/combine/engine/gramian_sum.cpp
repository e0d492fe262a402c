#include "gramian_sum.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mtl::engine {
namespace {

using at::Tensor;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// For so few tasks, or below so many multiplications, inner products of the rows where they lie
// cost less than a matrix product and the copy that it needs.
constexpr int64_t loop_tasks = 4;
constexpr int64_t loop_limit = 1 << 14;
constexpr int64_t loop_block = 1 << 10;  // columns: T rows of them stay in the first-level cache

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
  using Block = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>;
  for (int64_t begin = 0; begin < columns; begin += loop_block) {
    const auto width = std::min(columns - begin, loop_block);
    for (int64_t s = 0; s < tasks; ++s) {
      if (data[s] == nullptr) continue;
      const Block row(data[s] + begin, width);
      for (int64_t t = 0; t <= s; ++t) {
        if (data[t] == nullptr) continue;
        const double product = row.dot(Block(data[t] + begin, width));
        sum(s, t) += product;
        if (s != t) sum(t, s) += product;
      }
    }
  }
}

}  // namespace

Tensor dense(Tensor gradient) {
  if (gradient.defined() && gradient.layout() != at::kStrided) return gradient.to_dense();
  return gradient;
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

  if (first->is_cpu() && type == first->scalar_type() &&
      (tasks <= loop_tasks || columns * tasks * tasks <= loop_limit)) {
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

Tensor GramianSum::scratch(at::IntArrayRef sizes, const Tensor& like) {
  const auto count = c10::multiply_integers(sizes);
  if (!scratch_.defined() || scratch_.numel() < count || scratch_.dtype() != like.dtype() ||
      scratch_.device() != like.device()) {
    scratch_ = at::empty({count}, like.options());
  }
  return scratch_.narrow(0, 0, count).view(sizes);
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
  auto value = sum.value();
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

bool owned(const Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.storage().use_count() == 1 &&
         tensor.is_non_overlapping_and_dense();
}

Tensor weighted_sum(std::vector<Tensor> rows, const Eigen::VectorXd& weights) {
  std::vector<Tensor> terms;
  std::vector<double> factors;
  for (size_t t = 0; t < rows.size(); ++t) {
    if (!rows[t].defined()) continue;
    terms.push_back(dense(std::move(rows[t])));
    factors.push_back(weights[static_cast<int64_t>(t)]);
  }
  if (terms.empty()) return {};
  Tensor sum = std::move(terms.front());
  terms.erase(terms.begin());
  // Never over a tensor that somebody else holds: two parameters may share one gradient.
  if (!owned(sum)) {
    sum = at::mul(sum, factors.front());
  } else if (factors.front() != 1) {
    sum.mul_(factors.front());
  }
  for (size_t t = 0; t < terms.size(); ++t) sum.add_(terms[t], factors[t + 1]);
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
