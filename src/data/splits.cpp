#include "mtl/data/splits.hpp"

#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "mtl/core/error.hpp"

namespace mtl {
namespace {

/// Where each part ends among `rows` rows.
std::vector<int64_t> part_ends(int64_t rows, std::span<const double> shares) {
  std::vector<int64_t> ends;
  double sum = 0;
  for (const double share : shares) {
    if (!(share > 0)) throw Error("split: a part has the share {}; shares are positive.", share);
    sum += share;
    // 0.7 + 0.1 is a little less than 0.8: the small addition keeps 80 of 100 rows from being 79.
    ends.push_back(static_cast<int64_t>(std::floor(sum * static_cast<double>(rows) + 1e-6)));
  }
  if (std::abs(sum - 1) > 1e-6) throw Error("split: the shares add up to {} instead of 1.", sum);
  ends.back() = rows;
  return ends;
}

Tensor to_tensor(const std::vector<int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

std::vector<Tensor> to_tensors(std::vector<std::vector<int64_t>> parts) {
  std::vector<Tensor> result;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) {
      throw Error("split: part {} of {} gets no row. Give it a larger share, or more data.", i + 1,
                  parts.size());
    }
    std::sort(parts[i].begin(), parts[i].end());
    result.push_back(to_tensor(parts[i]));
  }
  return result;
}

/// Rows of each class (or group), both in ascending order.
std::map<int64_t, std::vector<int64_t>> rows_by_value(const Tensor& values, std::string_view what) {
  if (values.dim() != 1 || values.is_floating_point() || values.is_complex()) {
    throw Error("split: {} must be a vector of integers, one a row.", what);
  }
  const Tensor cpu = values.to(torch::kCPU, torch::kInt64).contiguous();
  const int64_t* value = cpu.data_ptr<int64_t>();
  std::map<int64_t, std::vector<int64_t>> rows;
  for (int64_t row = 0; row < cpu.size(0); ++row) rows[value[row]].push_back(row);
  return rows;
}

std::vector<int64_t> shuffled(const std::vector<int64_t>& values, uint64_t seed, uint64_t stream) {
  const Tensor order = shuffled_order(static_cast<int64_t>(values.size()), seed, stream);
  std::vector<int64_t> result;
  result.reserve(values.size());
  for (int64_t i = 0; i < order.size(0); ++i) {
    result.push_back(values[static_cast<size_t>(order.data_ptr<int64_t>()[i])]);
  }
  return result;
}

}  // namespace

Tensor shuffled_order(int64_t count, uint64_t seed, uint64_t stream) {
  const auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  const auto high = [](uint64_t value) { return static_cast<uint32_t>(value >> 32); };
  std::seed_seq seeds{low(seed), high(seed), low(stream), high(stream)};
  std::mt19937_64 engine(seeds);  // the engine is the same everywhere, std's distributions are not
  Tensor order = torch::arange(count, torch::kInt64);
  int64_t* out = order.data_ptr<int64_t>();
  for (int64_t i = count - 1; i > 0; --i) {
    // An even choice of 0..i: numbers of the engine's last, incomplete round are drawn again.
    const uint64_t choices = static_cast<uint64_t>(i) + 1;
    const uint64_t incomplete = (0 - choices) % choices;  // 2^64 mod choices
    uint64_t drawn = engine();
    while (drawn < incomplete) drawn = engine();
    std::swap(out[i], out[drawn % choices]);
  }
  return order;
}

std::vector<Tensor> chronological_parts(int64_t rows, std::span<const double> shares) {
  std::vector<int64_t> all(static_cast<size_t>(std::max<int64_t>(rows, 0)));
  std::iota(all.begin(), all.end(), 0);
  const auto ends = part_ends(rows, shares);
  std::vector<std::vector<int64_t>> parts;
  int64_t begin = 0;
  for (const int64_t end : ends) {
    parts.emplace_back(all.begin() + begin, all.begin() + end);
    begin = end;
  }
  return to_tensors(std::move(parts));
}

std::vector<Tensor> random_parts(int64_t rows, std::span<const double> shares, uint64_t seed) {
  const Tensor order = shuffled_order(rows, seed);
  std::vector<Tensor> parts = chronological_parts(rows, shares);
  for (Tensor& part : parts) part = std::get<0>(order.index_select(0, part).sort());
  return parts;
}

std::vector<Tensor> stratified_parts(const Tensor& classes, std::span<const double> shares,
                                     uint64_t seed) {
  std::vector<std::vector<int64_t>> parts(shares.size());
  int64_t before = 0;
  auto ends_before = part_ends(0, shares);
  uint64_t stream = 0;
  for (const auto& [value, rows] : rows_by_value(classes, "classes")) {
    const std::vector<int64_t> order = shuffled(rows, seed, stream++);
    // Ends are taken over all classes so far: parts keep their shares in total, too.
    before += static_cast<int64_t>(order.size());
    const auto ends = part_ends(before, shares);
    auto next = order.begin();
    int64_t last = 0, last_before = 0;
    for (size_t part = 0; part < parts.size(); ++part) {
      const int64_t count = (ends[part] - last) - (ends_before[part] - last_before);
      parts[part].insert(parts[part].end(), next, next + count);
      next += count;
      last = ends[part];
      last_before = ends_before[part];
    }
    ends_before = ends;
  }
  return to_tensors(std::move(parts));
}

std::vector<Tensor> group_parts(const Tensor& groups, std::span<const double> shares,
                                uint64_t seed) {
  const auto rows = rows_by_value(groups, "groups");
  std::vector<int64_t> names;
  names.reserve(rows.size());
  for (const auto& [name, members] : rows) names.push_back(name);
  const auto ends = part_ends(groups.size(0), shares);
  std::vector<std::vector<int64_t>> parts(shares.size());
  size_t part = 0;
  int64_t placed = 0;
  for (const int64_t name : shuffled(names, seed, 0)) {
    const std::vector<int64_t>& members = rows.at(name);
    const auto size = static_cast<int64_t>(members.size());
    // A group goes where its middle lies, but no part is passed over without a group.
    while (part + 1 < parts.size() && 2 * placed + size > 2 * ends[part] && !parts[part].empty()) {
      ++part;
    }
    parts[part].insert(parts[part].end(), members.begin(), members.end());
    placed += size;
  }
  return to_tensors(std::move(parts));
}

}  // namespace mtl
