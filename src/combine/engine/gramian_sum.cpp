#include "gramian_sum.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "mtl/core/tensor.hpp"
#include "workspace.hpp"

namespace mtl::engine {
namespace {

using at::Tensor;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// For so few tasks and threads, or below so many multiplications, our own inner products of the
// rows where they lie cost less than a matrix product, which copies them first.
constexpr int64_t loop_tasks = 8;
constexpr int loop_threads = 2;
constexpr int64_t loop_limit = 1 << 14;
constexpr int64_t loop_block = 1 << 9;  // columns: 2 T rows of them stay in the first-level cache

bool loop_pays(int64_t tasks, int64_t columns) {
  return (tasks <= loop_tasks && at::get_num_threads() <= loop_threads) ||
         columns * tasks * tasks <= loop_limit;
}

at::ScalarType product_type(const Tensor& row, bool in_double) {
  if (in_double || row.scalar_type() == at::kDouble) return at::kDouble;
  return at::kFloat;  // half precision has too few bits for a sum of products
}

// One dimension, in an order of elements that is the same for all `rows`; a view wherever the
// layout allows it.
std::vector<Tensor> flatten(std::vector<Tensor> rows) {
  for (auto& row : rows) row = in_real_parts(row);
  const auto& first = rows.front();
  const bool one_layout = std::all_of(rows.begin(), rows.end(), [&](const Tensor& row) {
    return row.is_non_overlapping_and_dense() && row.strides() == first.strides();
  });
  std::vector<Tensor> flat;
  for (const auto& row : rows) {
    flat.push_back(one_layout ? row.as_strided({row.numel()}, {1})
                              : row.reshape({-1}).contiguous());
  }
  return flat;
}

// <a_i, b_j> at once, which halves what is loaded; in lanes that fill a vector register or two.
template <class T>
Eigen::Matrix2d products_of_two(const std::array<const T*, 2>& a, const std::array<const T*, 2>& b,
                                int64_t columns) {
  constexpr int width = 8;
  using Lanes = Eigen::Array<T, width, 1>;
  using Map = Eigen::Map<const Lanes>;
  Lanes s00 = Lanes::Zero(), s01 = s00, s10 = s00, s11 = s00;
  int64_t c = 0;
  for (; c + width <= columns; c += width) {
    s00 += Map(a[0] + c) * Map(b[0] + c);
    s01 += Map(a[0] + c) * Map(b[1] + c);
    s10 += Map(a[1] + c) * Map(b[0] + c);
    s11 += Map(a[1] + c) * Map(b[1] + c);
  }
  Eigen::Matrix2d sums;
  sums << s00.sum(), s01.sum(), s10.sum(), s11.sum();
  for (; c < columns; ++c) {
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) sums(i, j) += static_cast<double>(a[i][c]) * b[j][c];
  }
  return sums;
}

// Inner products of the rows a and b, each `columns` long. Of a symmetric product, what is below
// the diagonal counts twice and what is above it not at all.
template <class T>
Eigen::MatrixXd products_of(std::vector<const T*> a, std::vector<const T*> b, bool symmetric,
                            int64_t columns) {
  const auto count = a.size();
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(count, count);
  a.push_back(a.back());  // the last of an odd number is paired with itself
  b.push_back(b.back());
  for (int64_t begin = 0; begin < columns; begin += loop_block) {
    const auto width = std::min(columns - begin, loop_block);
    for (size_t s = 0; s < count; s += 2) {
      for (size_t t = 0; t < (symmetric ? s + 1 : count); t += 2) {
        const auto found = products_of_two<T>({a[s] + begin, a[s + 1] + begin},
                                              {b[t] + begin, b[t + 1] + begin}, width);
        const auto rows = std::min<size_t>(2, count - s), cols = std::min<size_t>(2, count - t);
        sum.block(s, t, rows, cols) +=
            (symmetric && s != t ? 2 : 1) * found.topLeftCorner(rows, cols);
      }
    }
  }
  return sum;
}

template <class T>
std::vector<const T*> begin_of(const Tensor& rows) {
  std::vector<const T*> begin;
  for (int64_t t = 0; t < rows.size(0); ++t)
    begin.push_back(rows.data_ptr<T>() + t * rows.stride(0));
  return begin;
}

template <class T>
std::vector<const T*> begin_of(const std::vector<Tensor>& rows) {
  std::vector<const T*> begin;
  for (const auto& row : rows) begin.push_back(row.data_ptr<T>());
  return begin;
}

template <class Rows>
Eigen::MatrixXd products_of(const Rows& a, const Rows& b, bool symmetric, at::ScalarType type,
                            int64_t columns) {
  if (type == at::kDouble)
    return products_of(begin_of<double>(a), begin_of<double>(b), symmetric, columns);
  return products_of(begin_of<float>(a), begin_of<float>(b), symmetric, columns);
}

}  // namespace

Tensor dense(Tensor gradient) {
  if (gradient.defined() && gradient.layout() != at::kStrided) return gradient.to_dense();
  return gradient;
}

void GramianSum::add_rows(const std::vector<Tensor>& rows, bool in_double) {
  std::vector<Tensor> defined;
  std::vector<int64_t> index;
  for (size_t t = 0; t < rows.size(); ++t) {
    if (!rows[t].defined() || rows[t].numel() == 0) continue;
    defined.push_back(dense(rows[t]));
    index.push_back(static_cast<int64_t>(t));
  }
  if (defined.empty()) return;
  auto flat = flatten(std::move(defined));
  const auto& first = flat.front();
  const auto type = product_type(first, in_double);
  const auto count = static_cast<int64_t>(flat.size());
  if (first.is_cpu() && type == first.scalar_type() && loop_pays(count, first.numel())) {
    sum_(index, index) += products_of(flat, flat, true, type, first.numel());
    return;
  }
  if (!first.is_cpu()) {
    std::vector<Tensor> by_task(rows.size());
    for (size_t i = 0; i < flat.size(); ++i)
      by_task[static_cast<size_t>(index[i])] = std::move(flat[i]);
    return wait(std::move(by_task), type);
  }
  // The chunk is copied so that T rows lie side by side in the cache; a [T, P] copy never exists.
  const auto columns = first.numel();
  auto buffer = at::zeros({sum_.rows(), std::min(columns, chunk)}, first.options().dtype(type));
  for (int64_t begin = 0; begin < columns; begin += chunk) {
    const auto width = std::min(columns - begin, chunk);
    const auto part = buffer.narrow(1, 0, width);
    for (size_t i = 0; i < flat.size(); ++i) part[index[i]].copy_(flat[i].narrow(0, begin, width));
    add_product(part, part, true);
  }
}

void GramianSum::add_product(const Tensor& a, const Tensor& b, bool symmetric) {
  const auto columns = a.size(1);
  if (a.is_cpu() && a.stride(1) == 1 && b.stride(1) == 1 && loop_pays(a.size(0), columns)) {
    sum_ += products_of(a, b, symmetric, a.scalar_type(), columns);
    return;
  }
  if (!a.is_cpu()) return add_device_product(a, b);
  for (int64_t begin = 0; begin < columns; begin += chunk) {
    const auto width = std::min(columns - begin, chunk);
    const auto product = at::mm(a.narrow(1, begin, width), b.narrow(1, begin, width).t());
    if (product.scalar_type() == at::kDouble) {
      sum_ +=
          Eigen::Map<const RowMajor>(product.data_ptr<double>(), product.size(0), product.size(1));
    } else {
      using Map =
          Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
      sum_ += Map(product.data_ptr<float>(), product.size(0), product.size(1)).cast<double>();
    }
  }
}

void GramianSum::wait(std::vector<Tensor> rows, at::ScalarType type) {
  const auto& first =
      *std::find_if(rows.begin(), rows.end(), [](const Tensor& row) { return row.defined(); });
  auto place = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
    const auto& there = waiting.rows.front();
    const auto& row =
        *std::find_if(there.begin(), there.end(), [](const Tensor& r) { return r.defined(); });
    return row.device() == first.device() && row.scalar_type() == first.scalar_type() &&
           waiting.type == type;
  });
  const auto columns = first.numel();
  if (place == waiting_.end()) {
    waiting_.push_back({type, {}, 0});
    place = std::prev(waiting_.end());
  } else if ((place->columns + columns) * sum_.rows() > device_block) {
    multiply(*place);
  }
  place->columns += columns;
  place->rows.push_back(std::move(rows));
}

void GramianSum::multiply(Waiting& waiting) {
  const auto tasks = sum_.rows();
  std::vector<Tensor> parts;
  parts.reserve(waiting.rows.size() * static_cast<size_t>(tasks));
  for (int64_t t = 0; t < tasks; ++t) {
    for (const auto& rows : waiting.rows) {
      const auto& row = rows[static_cast<size_t>(t)];
      if (row.defined()) {
        parts.push_back(row);
        continue;
      }
      const auto& other =
          *std::find_if(rows.begin(), rows.end(), [](const Tensor& r) { return r.defined(); });
      parts.push_back(at::zeros({1}, other.options()).expand({other.numel()}));
    }
  }
  const auto joined = at::cat(parts).to(waiting.type).view({tasks, waiting.columns});
  add_device_product(joined, joined);
  waiting.rows.clear();
  waiting.columns = 0;
}

void GramianSum::add_device_product(const Tensor& a, const Tensor& b) {
  const auto tasks = a.size(0), columns = a.size(1);
  const auto chunks = columns / device_chunk, whole = chunks * device_chunk;
  if (columns == 0) return;
  auto& terms = on_device_[a.device()];
  if (chunks > 0) {
    const auto cut = [&](const Tensor& rows) {  // [chunks, T, device_chunk]
      return rows.narrow(1, 0, whole).view({tasks, chunks, device_chunk}).transpose(0, 1);
    };
    terms.push_back(at::bmm(cut(a), cut(b).transpose(1, 2)));
  }
  if (whole < columns) {
    const auto rest = [&](const Tensor& rows) { return rows.narrow(1, whole, columns - whole); };
    terms.push_back(at::mm(rest(a), rest(b).t()).unsqueeze(0));
  }
}

Eigen::MatrixXd GramianSum::value() {
  for (auto& waiting : waiting_)
    if (waiting.columns > 0) multiply(waiting);
  Eigen::MatrixXd total = sum_;
  for (const auto& [device, terms] : on_device_) {
    const auto here = at::cat(terms).sum(0, false, at::kDouble).cpu();
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

std::vector<Tensor> weighted_sums(std::vector<std::vector<Tensor>> rows,
                                  const Eigen::VectorXd& weights) {
  std::vector<Tensor> sums(rows.size());
  // Of the parameters summed together: where they stand, the first row and its weight, and by task
  // what is added to which.
  std::vector<size_t> places;
  std::vector<Tensor> totals;
  std::vector<at::Scalar> factors;
  const auto tasks = static_cast<size_t>(weights.size());
  std::vector<std::vector<size_t>> to(tasks);
  std::vector<std::vector<Tensor>> terms(tasks);
  bool in_place = true, all_one = true;
  for (size_t p = 0; p < rows.size(); ++p) {
    const auto joins = [&](const Tensor& row) {
      return !row.defined() || (!row.is_cpu() && row.layout() == at::kStrided &&
                                (totals.empty() || (row.device() == totals.front().device() &&
                                                    row.dtype() == totals.front().dtype())));
    };
    const auto first = std::find_if(rows[p].begin(), rows[p].end(),
                                    [](const Tensor& row) { return row.defined(); });
    if (first == rows[p].end() || !std::all_of(first, rows[p].end(), joins)) {
      sums[p] = weighted_sum(std::move(rows[p]), weights);
      continue;
    }
    const auto task = static_cast<size_t>(first - rows[p].begin());
    for (size_t t = task + 1; t < tasks; ++t) {
      if (!rows[p][t].defined()) continue;
      to[t].push_back(totals.size());
      terms[t].push_back(std::move(rows[p][t]));
    }
    places.push_back(p);
    factors.emplace_back(weights[static_cast<int64_t>(task)]);
    all_one = all_one && weights[static_cast<int64_t>(task)] == 1;
    in_place = in_place && owned(*first);
    totals.push_back(std::move(*first));
  }
  if (totals.empty()) return sums;
  if (!in_place) {
    totals = at::_foreach_mul(totals, factors);
  } else if (!all_one) {
    at::_foreach_mul_(totals, factors);
  }
  for (size_t t = 0; t < tasks; ++t) {
    if (terms[t].empty()) continue;
    std::vector<Tensor> sums_of_task;
    for (const auto place : to[t]) sums_of_task.push_back(totals[place]);
    at::_foreach_add_(sums_of_task, terms[t], weights[static_cast<int64_t>(t)]);
  }
  for (size_t i = 0; i < places.size(); ++i) sums[places[i]] = std::move(totals[i]);
  return sums;
}

Tensor inner(const Tensor& a, const Tensor& b) {
  const auto flat = flatten({dense(a), dense(b)});
  const auto columns = flat[0].numel();
  const auto most = flat[0].is_cpu() ? GramianSum::chunk : GramianSum::device_block;
  Tensor sum;
  for (int64_t begin = 0; begin < columns; begin += most) {
    const auto width = std::min(columns - begin, most);
    const auto part = at::dot(flat[0].narrow(0, begin, width).to(at::kDouble),
                              flat[1].narrow(0, begin, width).to(at::kDouble));
    sum = sum.defined() ? sum + part : part;
  }
  return sum.defined() ? sum : at::zeros({}, flat[0].options().dtype(at::kDouble));
}

void NumberSums::add(int64_t entry, const Tensor& number) {
  if (number.is_cpu()) {
    sums_[entry] += number.item<double>();
    return;
  }
  on_device_.push_back(number.to(at::kDouble).reshape({}));
  entries_.push_back(entry);
}

Eigen::VectorXd NumberSums::value() {
  if (!on_device_.empty()) {
    // Numbers of a second device pass through the first.
    for (auto& number : on_device_) number = number.to(on_device_.front().device(), true);
    const auto here = at::stack(on_device_).cpu();
    for (size_t i = 0; i < entries_.size(); ++i) sums_[entries_[i]] += here.data_ptr<double>()[i];
    on_device_.clear();
    entries_.clear();
  }
  return sums_;
}

}  // namespace mtl::engine
