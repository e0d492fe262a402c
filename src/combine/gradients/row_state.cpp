#include "mtl/combine/gradients/row_state.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "mtl/core/error.hpp"
#include "mtl/core/number_in.hpp"

namespace mtl {
namespace {

// Beyond any network: a damaged name must not ask for memory.
constexpr size_t most_parameters = 1'000'000;
constexpr size_t most_tasks = 10'000;

std::optional<size_t> index_below(const std::string& text, size_t limit) {
  const auto value = number_in<size_t>(text);
  return value && *value < limit ? value : std::nullopt;
}

void check_shape(size_t p, const Tensor& kept, const Tensor& like) {
  if (kept.sizes() != like.sizes())
    throw Error(
        "parameter {}: what is kept for it has shape {}, its gradient {}; where gradients are "
        "compared at the representation, give batches of one size (a loader's drop_last)",
        p, shape_text(kept), shape_text(like));
}

}  // namespace

void RowState::check(const Rows& rows, const std::vector<int64_t>& tasks) const {
  for (size_t p = 0; p < std::min(rows.size(), rows_.size()); ++p)
    for (size_t i = 0; i < rows[p].size(); ++i) {
      const auto t = static_cast<size_t>(tasks[i]);
      if (t < rows_[p].size() && rows_[p][t].defined() && rows[p][i].defined())
        check_shape(p, rows_[p][t], rows[p][i]);
    }
}

Tensor& RowState::at(size_t p, int64_t t, const Tensor& like) {
  if (rows_.size() <= p) rows_.resize(p + 1);
  auto& tasks = rows_[p];
  if (tasks.size() <= static_cast<size_t>(t)) tasks.resize(static_cast<size_t>(t) + 1);
  Tensor& kept = tasks[static_cast<size_t>(t)];
  const auto options =
      like.options().requires_grad(false).dtype(at::promote_types(like.scalar_type(), at::kFloat));
  if (!kept.defined()) kept = at::zeros_like(like, options);
  check_shape(p, kept, like);
  if (kept.device() != like.device() ||
      kept.scalar_type() != c10::typeMetaToScalarType(options.dtype()))
    kept = kept.to(options);
  return kept;
}

void RowState::save(NamedTensors& state, const std::string& prefix) const {
  for (size_t p = 0; p < rows_.size(); ++p)
    for (size_t t = 0; t < rows_[p].size(); ++t)
      if (rows_[p][t].defined())
        state.insert(prefix + "." + std::to_string(p) + "." + std::to_string(t),
                     rows_[p][t].clone());
}

std::vector<std::string> RowState::names(const NamedTensors& state, const std::string& prefix) {
  std::vector<std::string> found;
  for (const std::string& place : under(state, prefix + ".").keys())
    found.push_back(prefix + "." + place);
  return found;
}

void RowState::load(const NamedTensors& state, const std::string& prefix) {
  rows_.clear();
  for (const auto& item : under(state, prefix + ".")) {
    const std::string& place = item.key();
    const auto dot = std::min(place.find('.'), place.size());
    const auto p = index_below(place.substr(0, dot), most_parameters);
    const auto t = index_below(place.substr(std::min(dot + 1, place.size())), most_tasks);
    if (!p || !t)
      throw Error("\"{}.{}\": expected {}.<parameter>.<task>, two numbers below {} and {}", prefix,
                  place, prefix, most_parameters, most_tasks);
    at(*p, static_cast<int64_t>(*t), item.value()).copy_(item.value().detach());
  }
}

}  // namespace mtl
