#include "mtl/data/sources.hpp"

namespace mtl {

Sources::Sources(std::vector<Source> sources, Options options)
    : options_(std::move(options)), sources_(std::move(sources)) {
  check();
  std::vector<int64_t> sizes;
  for (const Source& source : sources_) sizes.push_back(source.loader.batches);
  const std::vector<double> shares = options_.sampling.of(sizes);
  counts_ = parts_of(epoch_length(sizes, shares), shares);
  check_drawn();
  positions_.assign(sources_.size(), 0);
}

std::vector<DrawnSource> Sources::per_epoch() const {
  std::vector<DrawnSource> drawn;
  for (size_t s = 0; s < counts_.size(); ++s)
    drawn.push_back({sources_[s].name, counts_[s], sources_[s].loader.batches});
  return drawn;
}

void Sources::start_epoch(int64_t epoch) {
  order_ = order_of(epoch);
  at_ = 0;
  for (size_t s = 0; s < counts_.size(); ++s) seek(s, epoch * counts_[s]);
}

std::vector<int64_t> Sources::parts_of(int64_t total, const std::vector<double>& shares) {
  std::vector<int64_t> parts;
  std::vector<std::pair<double, size_t>> remainders;
  for (size_t s = 0; s < shares.size(); ++s) {
    const double exact = shares[s] * static_cast<double>(total);
    parts.push_back(static_cast<int64_t>(exact * (1 + 1e-12)));
    remainders.emplace_back(static_cast<double>(parts[s]) - exact, s);
  }
  std::sort(remainders.begin(), remainders.end());
  int64_t left = total - std::accumulate(parts.begin(), parts.end(), int64_t{0});
  for (size_t r = 0; left > 0; r = (r + 1) % remainders.size(), --left)
    ++parts[remainders[r].second];
  return parts;
}

std::vector<uint32_t> Sources::order_of(int64_t epoch) const {
  std::vector<std::pair<double, uint32_t>> places;
  for (size_t s = 0; s < counts_.size(); ++s)
    for (int64_t j = 0; j < counts_[s]; ++j)
      places.emplace_back((static_cast<double>(j) + 0.5) / static_cast<double>(counts_[s]),
                          static_cast<uint32_t>(s));
  std::sort(places.begin(), places.end());
  std::vector<uint32_t> order;
  for (const auto& place : places) order.push_back(place.second);
  if (!options_.shuffle || options_.sampling.takes_turns()) return order;
  const Tensor drawn = shuffled_order(batches(), options_.seed, static_cast<uint64_t>(epoch));
  std::vector<uint32_t> shuffled;
  for (int64_t i = 0; i < batches(); ++i)
    shuffled.push_back(order[static_cast<size_t>(drawn.data_ptr<int64_t>()[i])]);
  return shuffled;
}

}  // namespace mtl
