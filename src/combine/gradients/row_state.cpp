#include "mtl/combine/gradients/row_state.hpp"

#include <ATen/ATen.h>

#include "mtl/core/error.hpp"

namespace mtl {

Tensor& RowState::at(size_t p, int64_t t, const Tensor& like) {
  if (rows_.size() <= p) rows_.resize(p + 1);
  auto& tasks = rows_[p];
  if (tasks.size() <= static_cast<size_t>(t)) tasks.resize(static_cast<size_t>(t) + 1);
  Tensor& kept = tasks[static_cast<size_t>(t)];
  if (!kept.defined()) kept = at::zeros_like(like, like.options().requires_grad(false));
  if (kept.sizes() != like.sizes())
    throw Error("parameter {}: what is kept for it has shape {}, its gradient {}", p,
                shape_text(kept), shape_text(like));
  if (kept.options().device() != like.device() || kept.scalar_type() != like.scalar_type())
    kept = kept.to(like.options().requires_grad(false));
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
  for (const auto& item : state)
    if (item.key().compare(0, prefix.size() + 1, prefix + ".") == 0) found.push_back(item.key());
  return found;
}

void RowState::load(const NamedTensors& state, const std::string& prefix) {
  rows_.clear();
  const std::string start = prefix + ".";
  for (const auto& item : state) {
    const std::string& name = item.key();
    if (name.compare(0, start.size(), start) != 0) continue;
    const size_t dot = name.find('.', start.size());
    if (dot == std::string::npos) throw Error("\"{}\": expected {}<parameter>.<task>", name, start);
    const auto p = static_cast<size_t>(std::stoul(name.substr(start.size(), dot - start.size())));
    const auto t = static_cast<int64_t>(std::stoul(name.substr(dot + 1)));
    at(p, t, item.value()).copy_(item.value());
  }
}

}  // namespace mtl
