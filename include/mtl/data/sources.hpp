#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "mtl/core/formatted.hpp"
#include "mtl/core/random.hpp"
#include "mtl/data/loader.hpp"
#include "mtl/data/sampling.hpp"
#include "mtl/data/shuffled_order.hpp"

namespace mtl {

namespace data_detail {

/// Somebody's loader, kept, its type forgotten.
struct KeptLoader {
  template <class L>
  requires(!std::same_as<L, KeptLoader> && Loader<L>) KeptLoader(L loader) {
    const auto kept = std::make_shared<L>(std::move(loader));
    batches = kept->batches();
    samples = kept->samples();
    start_epoch = [kept](int64_t epoch) { kept->start_epoch(epoch); };
    next = [kept](Batch& batch) -> bool { return kept->next(batch); };
    if constexpr (requires { kept->skip(int64_t{}); })
      skip = [kept](int64_t count) { kept->skip(count); };
    if constexpr (requires { std::string(kept->text()); })
      text = [kept]() -> std::string { return kept->text(); };
  }

  int64_t batches = 0, samples = 0;
  std::function<void(int64_t)> start_epoch;
  std::function<bool(Batch&)> next;
  std::function<void(int64_t)> skip;  // none: what is passed over is read
  std::function<std::string()> text;  // none: it does not say
};

}  // namespace data_detail

/// One of several sources: `name` stands in reports and errors, `loader` is any loader, by value.
/// `weight` > 0 multiplies the sample weights of its batches: what counts, not what is drawn.
struct Source {
  std::string name;
  data_detail::KeptLoader loader;
  double weight = 1;
};

/// Sources of unequal size side by side, each of which may label some tasks only: a batch comes
/// from one of them, as `sampling` says, and has the inputs and targets that this one has.
///
///     mtl::Sources train({{.name = "photos", .loader = mtl::BatchLoader(photos)},
///                         {.name = "scans", .loader = mtl::BatchLoader(scans)}},
///                        {.sampling = mtl::Sampling::temperature(2), .seed = 1});
///
/// With n_s batches in source s and shares q_s an epoch has N batches,
///     N = max_s n_s / q_s   until all ended,   N = min_s n_s / q_s   until the first ended,
/// of which q_s N come from source s, rounded so that they sum to N: the counts are the same in
/// every epoch and none is left to chance, only their order is drawn. A source goes on in the next
/// epoch where it stood, and begins its own next epoch (a new order, if it shuffles) whenever it is
/// through, so that all its samples come equally often. What epoch e gives depends on the seeds and
/// e only.
class Sources {
 public:
  enum class Until {
    all_ended,    ///< every source has been through; with equal shares: until the largest ends
    first_ended,  ///< one source has been through; with equal shares: until the smallest ends
  };

  struct Options {
    Sampling sampling = Sampling::proportional();
    Until until = Until::all_ended;
    int64_t batches = 0;  ///< above 0: so many batches an epoch, whoever has ended
    bool shuffle = true;  ///< false: the sources are spread evenly over the epoch, as in turn
    uint64_t seed = 0;
  };

  /// Error: no source, two of one name, one without a batch, a weight that is not above 0, shares
  /// for another number of sources, an epoch of more than 2^31 batches, a source of which no epoch
  /// would have a batch.
  explicit Sources(std::vector<Source> sources, Options options);
  explicit Sources(std::vector<Source> sources) : Sources(std::move(sources), Options()) {}
  // A copy would move the loaders of the first.
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;
  Sources(Sources&&) = default;
  Sources& operator=(Sources&&) = default;

  int64_t batches() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }
  /// Where a source is not read as a whole number of times: so many in the mean over epochs.
  int64_t samples() const {
    double all = 0;
    for (size_t s = 0; s < counts_.size(); ++s)
      all += static_cast<double>(counts_[s]) * static_cast<double>(sources_[s].loader.samples) /
             static_cast<double>(sources_[s].loader.batches);
    return std::llround(all);
  }

  /// What every epoch draws, in the order of the sources.
  std::vector<DrawnSource> per_epoch() const;

  /// How they are drawn, and what makes the batches of each.
  std::string text() const {
    std::string text = "sources drawn " + options_.sampling.text();
    if (options_.shuffle && !options_.sampling.takes_turns())
      text += formatted(", order of seed {}", options_.seed);
    for (size_t s = 0; s < counts_.size(); ++s) {
      const auto& loader = sources_[s].loader;
      text += formatted("; \"{}\" {} batches an epoch of {}", sources_[s].name, counts_[s],
                        loader.batches);
      if (sources_[s].weight != 1) text += formatted(", weight {}", sources_[s].weight);
      if (loader.text) text += " (" + loader.text() + ")";
    }
    return text;
  }

  /// To the beginning of epoch `epoch`; new sources stand at the beginning of epoch 0.
  void start_epoch(int64_t epoch);

  /// Passes over the next `count` batches of the epoch.
  void skip(int64_t count) {
    if (order_.empty()) start_epoch(0);
    const size_t end = at_ + static_cast<size_t>(std::min(count, batches() - place()));
    std::vector<int64_t> passed(counts_.size(), 0);
    for (; at_ < end; ++at_) ++passed[order_[at_]];
    for (size_t s = 0; s < counts_.size(); ++s) seek(s, positions_[s] + passed[s]);
  }

  /// Error: a source gave fewer batches than it says it has.
  bool next(Batch& batch) {
    if (order_.empty()) start_epoch(0);
    if (at_ == order_.size()) return false;
    const size_t s = order_[at_];
    Source& source = sources_[s];
    const int64_t of_pass = positions_[s] % source.loader.batches;
    if (of_pass == 0) source.loader.start_epoch(positions_[s] / source.loader.batches);
    read(s, batch, of_pass);
    ++positions_[s];
    ++at_;
    if (source.weight != 1) weigh(batch, source.weight);
    return true;
  }

 private:
  int64_t place() const { return static_cast<int64_t>(at_); }

  void check() const {
    if (sources_.empty()) throw Error("Sources: there is no source");
    if (options_.batches < 0)
      throw Error(
          "Sources: found batches {}, expected a number above 0, or 0 for as many as the "
          "sources have",
          options_.batches);
    for (size_t s = 0; s < sources_.size(); ++s) {
      const Source& source = sources_[s];
      if (source.loader.batches < 1)
        throw Error("Sources: source \"{}\" has no batch", source.name);
      if (!(source.weight > 0 && std::isfinite(source.weight)))
        throw Error("Sources: source \"{}\" has weight {}, expected a finite number above 0",
                    source.name, source.weight);
      for (size_t other = 0; other < s; ++other)
        if (sources_[other].name == source.name)
          throw Error("Sources: two sources are called \"{}\"; give each a name of its own",
                      source.name);
    }
  }

  void check_drawn() const {
    for (size_t s = 0; s < counts_.size(); ++s)
      if (counts_[s] == 0)
        throw Error(
            "Sources: source \"{}\" has a share of less than one batch in the {} of an epoch and "
            "would never be drawn; give it a larger share, Until::all_ended or more "
            "Options::batches, or leave it out",
            sources_[s].name, batches());
  }

  int64_t epoch_length(const std::vector<int64_t>& sizes, const std::vector<double>& shares) const {
    constexpr int64_t most = int64_t{1} << 31;
    if (options_.batches > most)
      throw Error("Sources: found batches {}, expected at most {}", options_.batches, most);
    if (options_.batches > 0) return options_.batches;
    std::vector<double> lengths;
    // Up, so that it is really through; what rounding adds to a whole number does not count.
    for (size_t s = 0; s < sizes.size(); ++s)
      lengths.push_back(std::ceil(static_cast<double>(sizes[s]) / shares[s] * (1 - 1e-12)));
    const auto chosen = options_.until == Until::all_ended
                            ? std::max_element(lengths.begin(), lengths.end())
                            : std::min_element(lengths.begin(), lengths.end());
    if (*chosen > static_cast<double>(most))
      throw Error(
          "Sources: with a share of {} for source \"{}\" an epoch has {} batches; give "
          "Options::batches, or Until::first_ended",
          shares[static_cast<size_t>(chosen - lengths.begin())],
          sources_[static_cast<size_t>(chosen - lengths.begin())].name, *chosen);
    return static_cast<int64_t>(*chosen);
  }

  /// `total` in whole parts as near to the shares as can be: the largest remainders round up.
  static std::vector<int64_t> parts_of(int64_t total, const std::vector<double>& shares);

  /// Whose turn it is, batch by batch: the j-th of c batches of a source stands at (j + 1/2) / c of
  /// the epoch.
  std::vector<uint32_t> order_of(int64_t epoch) const;

  /// Source s stands before its batch `position`, counted over all its epochs.
  void seek(size_t s, int64_t position) {
    if (std::exchange(positions_[s], position) == position) return;
    auto& loader = sources_[s].loader;
    const int64_t of_pass = position % loader.batches;
    if (of_pass == 0) return;  // `next` begins it
    loader.start_epoch(position / loader.batches);
    if (loader.skip) return loader.skip(of_pass);
    Batch passed;
    for (int64_t i = 0; i < of_pass; ++i) read(s, passed, i);
  }

  void read(size_t s, Batch& batch, int64_t of_pass) {
    batch = Batch();  // a loader of one's own may not fill in what another source's batch had
    if (!sources_[s].loader.next(batch))
      throw Error(
          "Sources: source \"{}\" gave {} of its {} batches; a loader begins anew at "
          "start_epoch(e), for any e",
          sources_[s].name, of_pass, sources_[s].loader.batches);
  }

  static void weigh(Batch& batch, double weight) {
    const auto device = batch.inputs.front().value().device();
    if (!batch.sample_weights.defined())
      batch.sample_weights = torch::ones({size(batch)}, torch::dtype(torch::kFloat).device(device));
    batch.sample_weights = batch.sample_weights * weight;
  }

  Options options_;
  std::vector<Source> sources_;
  std::vector<int64_t> counts_;     // batches of an epoch, by source
  std::vector<int64_t> positions_;  // batches read of each, over all its epochs
  std::vector<uint32_t> order_;     // of this epoch; empty before it is asked for
  size_t at_ = 0;
};

}  // namespace mtl
