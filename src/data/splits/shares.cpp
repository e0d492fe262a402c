#include "mtl/data/splits/shares.hpp"

#include <algorithm>
#include <cmath>

namespace mtl::data_detail {

RowList part_ends(int64_t rows, std::span<const double> shares) {
  if (rows < 0) throw Error("split: there are no {} rows", rows);
  if (shares.empty()) throw Error("split: no part was asked for");
  RowList ends;
  double sum = 0;
  for (const double share : shares) {
    if (!(share > 0)) throw Error("split: a part has the share {}; shares are positive", share);
    sum += share;
    // 0.7 + 0.1 is a little less than 0.8: the small addition keeps 80 of 100 rows from being 79.
    ends.push_back(
        static_cast<int64_t>(std::floor(std::min(sum, 1.0) * static_cast<double>(rows) + 1e-6)));
  }
  if (!(std::abs(sum - 1) <= 1e-6)) throw Error("split: the shares add up to {} instead of 1", sum);
  ends.back() = rows;
  return ends;
}

std::vector<Tensor> to_tensors(std::vector<RowList> parts) {
  std::vector<Tensor> result;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty())
      throw Error("split: part {} of {} gets no row. Give it a larger share, or more data", i + 1,
                  parts.size());
    std::sort(parts[i].begin(), parts[i].end());
    result.push_back(torch::tensor(parts[i], torch::kInt64));
  }
  return result;
}

std::map<int64_t, RowList> rows_by_value(const Tensor& values, std::string_view what) {
  if (!values.defined() || values.dim() != 1 || values.is_floating_point() || values.is_complex())
    throw Error("split: {} must be a vector of integers, one a row", what);
  const Tensor cpu = values.to(torch::kCPU, torch::kInt64).contiguous();
  const int64_t* value = cpu.data_ptr<int64_t>();
  std::map<int64_t, RowList> rows;
  for (int64_t row = 0; row < cpu.size(0); ++row) rows[value[row]].push_back(row);
  return rows;
}

RowList shuffled(const RowList& values, uint64_t seed, uint64_t stream) {
  const Tensor order = shuffled_order(std::ssize(values), seed, stream);
  RowList result;
  result.reserve(values.size());
  for (int64_t i = 0; i < order.size(0); ++i)
    result.push_back(values[static_cast<size_t>(order.data_ptr<int64_t>()[i])]);
  return result;
}

}  // namespace mtl::data_detail
