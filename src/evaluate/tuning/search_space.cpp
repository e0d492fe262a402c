#include "mtl/evaluate/tuning/search_space.hpp"

#include <set>

namespace mtl::evaluate {

SearchSpace::SearchSpace(std::vector<Dimension> dimensions) : dimensions_(std::move(dimensions)) {
  std::set<std::string> names;
  if (dimensions_.empty()) throw Error("a search space needs at least one dimension");
  for (const Dimension& dimension : dimensions_) {
    check(dimension);
    if (!names.insert(dimension.name).second)
      throw Error("a search space has two dimensions \"{}\"", dimension.name);
  }
}

Candidate SearchSpace::candidate(int64_t trial, const std::vector<double>& values,
                                 std::optional<int64_t> parent) const {
  Candidate result{trial, parent, {}};
  for (size_t d = 0; d < size(); ++d)
    result.settings.push_back({dimensions_[d].name, values[d], text_of(d, values[d])});
  return result;
}

void SearchSpace::check(const Dimension& dimension) {
  const auto& [name, low, high, log, whole, choices] = dimension;
  if (name.empty()) throw Error("a search space has a dimension without a name");
  if (!choices.empty()) {
    if (std::set<std::string>(choices.begin(), choices.end()).size() != choices.size())
      throw Error("dimension \"{}\" has the same choice twice", name);
    if (log || whole)
      throw Error("dimension \"{}\" has choices, which are neither whole nor on a scale", name);
    return;
  }
  if (!std::isfinite(low) || !std::isfinite(high) || low >= high)
    throw Error("dimension \"{}\" goes from {} to {}, expected finite bounds, the lower first",
                name, low, high);
  if (log && low <= 0)
    throw Error("dimension \"{}\" has a log scale from {}, expected a positive bound", name, low);
  constexpr double most = 1e15;  // beyond, a double does not hold all whole numbers
  if (whole && (std::round(low) != low || std::round(high) != high || -low > most || high > most))
    throw Error("dimension \"{}\" is whole from {} to {}, expected whole bounds up to {}", name,
                low, high, most);
}

}  // namespace mtl::evaluate
